-- Values as rows of one column: a relation.
{% macro rows_of(values) -%}
    (values ({{ values | join('), (') }}))
{%- endmacro %}
