-- Contracts name types as DuckDB does: what Spark calls otherwise is translated before dbt compares.
{% macro spark__get_empty_schema_sql(columns) -%}
    select
        {%- for column in columns.values() %}
        cast(null as {{ column.data_type | replace('varchar[]', 'array<string>') | replace('varchar', 'string') }})
        as {{ column.name }}{{ ',' if not loop.last }}
        {%- endfor %}
    where false
{%- endmacro %}
