-- The alerts' severities in their order: 0 for info to 4 for critical.
{% macro severity_rank(severity) -%}
    (list_position(['info', 'low', 'medium', 'high', 'critical'], {{ severity }}) - 1)::integer
{%- endmacro %}

-- Graded relevance, an integer because learners of rankings take no other: 2 for reported, one more from
-- severity high on, one more for critical; 0 for dismissed; null while it is not known.
{% macro graded_relevance(is_reported, severity_rank) -%}
    case
        when {{ is_reported }}
            then 2 + ({{ severity_rank }} >= 3)::integer + ({{ severity_rank }} = 4)::integer
        when not {{ is_reported }} then 0
    end::integer
{%- endmacro %}
