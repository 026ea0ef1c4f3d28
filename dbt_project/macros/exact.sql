-- Sums that do not depend on the order of the rows, to nine places: the last bit of a sum of floats does,
-- and would make a feature differ from run to run.
{% macro exact_sum(column) -%}
    sum(({{ column }})::decimal(28, 9))
{%- endmacro %}
