-- The share of tickets that some days after their creation no longer wait, by the metric of the wait.
{% macro share_name(metric, days) -%}
    case {{ metric }} when 'time_to_first_response' then 'answered' else 'closed' end || '_within_' || {{ days }} || 'd'
{%- endmacro %}
