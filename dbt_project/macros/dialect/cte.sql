-- Of a relation of a query that is dear and read more than once: `kinds as {{ once() }} ( … )` is made once. Left to
-- itself an engine may put its expressions wherever they are read.
{% macro once() -%}
    {{ return(adapter.dispatch('once')()) }}
{%- endmacro %}

{% macro default__once() -%}
    materialized
{%- endmacro %}

-- It has no word for it.
{% macro spark__once() -%}
{%- endmacro %}
