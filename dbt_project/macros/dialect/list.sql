-- Lists: written down, filtered, and turned into rows.

-- The values, which are texts, as a list.
{% macro list_of(values) -%}
    {{ return(adapter.dispatch('list_of')(values)) }}
{%- endmacro %}

{% macro default__list_of(values) -%}
    [{% if values %}'{{ values | join("', '") }}'{% endif %}]
{%- endmacro %}

{% macro spark__list_of(values) -%}
    array({% if values %}'{{ values | join("', '") }}'{% endif %})
{%- endmacro %}

-- The entries that meet a condition, in which they go by `name`.
{% macro list_where(list, name, condition) -%}
    {{ return(adapter.dispatch('list_where')(list, name, condition)) }}
{%- endmacro %}

{% macro default__list_where(list, name, condition) -%}
    list_filter({{ list }}, lambda {{ name }}: {{ condition }})
{%- endmacro %}

{% macro spark__list_where(list, name, condition) -%}
    filter({{ list }}, {{ name }} -> {{ condition }})
{%- endmacro %}

-- An entry by its place, counted from 1.
{% macro entry(list, place) -%}
    {{ return(adapter.dispatch('entry')(list, place)) }}
{%- endmacro %}

{% macro default__entry(list, place) -%}
    {{ list }}[{{ place }}]
{%- endmacro %}

{% macro spark__entry(list, place) -%}
    element_at({{ list }}, {{ place }})
{%- endmacro %}

-- A row for each entry of a list: one column of a select.
{% macro each(list) -%}
    {{ return(adapter.dispatch('each')(list)) }}
{%- endmacro %}

{% macro default__each(list) -%}
    unnest({{ list }})
{%- endmacro %}

{% macro spark__each(list) -%}
    explode({{ list }})
{%- endmacro %}

-- The same with its place, counted from 1: the two columns `name` and `position` of a select.
{% macro each_with_position(list, name) -%}
    {{ return(adapter.dispatch('each_with_position')(list, name)) }}
{%- endmacro %}

{% macro default__each_with_position(list, name) -%}
    unnest({{ list }}) as {{ name }},
    generate_subscripts({{ list }}, 1) as position
{%- endmacro %}

{% macro spark__each_with_position(list, name) -%}
    inline(transform({{ list }}, (entry, place) -> named_struct('{{ name }}', entry, 'position', place + 1)))
{%- endmacro %}

-- A row for each whole number from the first to the last, and for each day.
{% macro each_number(first, last) -%}
    {{ return(adapter.dispatch('each_number')(first, last)) }}
{%- endmacro %}

{% macro default__each_number(first, last) -%}
    unnest(generate_series({{ first }}, {{ last }}))
{%- endmacro %}

{% macro spark__each_number(first, last) -%}
    explode(sequence({{ first }}, {{ last }}))
{%- endmacro %}

{% macro each_day(first, last) -%}
    {{ return(adapter.dispatch('each_day')(first, last)) }}
{%- endmacro %}

{% macro default__each_day(first, last) -%}
    unnest(generate_series({{ first }}, {{ last }}, interval '1 day'))::date
{%- endmacro %}

{% macro spark__each_day(first, last) -%}
    explode(sequence({{ first }}, {{ last }}, interval '1 day'))
{%- endmacro %}
