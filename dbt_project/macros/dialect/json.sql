-- Texts that hold JSON.

-- A JSON text as a struct. `fields` gives each name a type: VARCHAR, BIGINT, BOOLEAN, JSON (as it came), a mapping for an
-- object, or a list of one of them.
{% macro json_record(column, fields) -%}
    {{ return(adapter.dispatch('json_record')(column, fields)) }}
{%- endmacro %}

{% macro default__json_record(column, fields) -%}
    json_transform({{ column }}, '{{ tojson(fields) }}')
{%- endmacro %}

{% macro spark__json_record(column, fields) -%}
    from_json({{ column }}, '{{ spark_type(fields) }}')
{%- endmacro %}

{% macro spark_type(type) -%}
    {%- if type is mapping -%}
        struct<
        {%- for name, field in type.items() -%}
            `{{ name }}`: {{ spark_type(field) }}{{ ', ' if not loop.last }}
        {%- endfor -%}
        >
    {%- elif type is string -%}
        {{ {'VARCHAR': 'string', 'JSON': 'string'}.get(type, type | lower) }}
    {%- else -%}
        array<{{ spark_type(type[0]) }}>
    {%- endif -%}
{%- endmacro %}

-- What a JSON text is called: itself if it is a string, else its field `name`.
{% macro json_name(column) -%}
    {{ return(adapter.dispatch('json_name')(column)) }}
{%- endmacro %}

{% macro default__json_name(column) -%}
    coalesce({{ column }} ->> '$.name', {{ column }} ->> '$')
{%- endmacro %}

-- A string comes without its quotes.
{% macro spark__json_name(column) -%}
    coalesce(get_json_object({{ column }}, '$.name'), {{ column }})
{%- endmacro %}
