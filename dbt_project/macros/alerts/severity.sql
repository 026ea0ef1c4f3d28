-- The place of a severity in their order, counted from 0.
{% macro severity_rank(severity) -%}
    case {{ severity }}
        {%- for name in var('severities') %}
        when '{{ name }}' then {{ loop.index0 }}
        {%- endfor %}
    end
{%- endmacro %}

-- Graded relevance, an integer because learners of rankings take no other: 2 for reported, one more from
-- severity high on, one more for critical; 0 for dismissed; null while it is not known.
{% macro graded_relevance(is_reported, severity_rank) -%}
    case
        when {{ is_reported }}
            then
                2
                + ({{ severity_rank }} >= {{ var('severities').index('high') }})::integer
                + ({{ severity_rank }} = {{ var('severities').index('critical') }})::integer
        when not {{ is_reported }} then 0
    end::integer
{%- endmacro %}
