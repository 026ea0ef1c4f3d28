-- Says how many rows a table has once it is built, and to dagster-dbt, which takes them from such a message, the types
-- of its columns. Only dbt can ask for them then: until the run ends it holds the database. Elsewhere counting would
-- be a job of its own.
{% macro tell_table() -%}
    {%- if execute and target.type == 'duckdb' -%}
        {%- if model.config.materialized != 'view' -%}
            {{ log(run_query('select count(*) from ' ~ this)[0][0] ~ ' rows', info=true) }}
        {%- endif -%}
        {%- if flags.LOG_FORMAT == 'json' -%}
            {%- set told -%}
                select to_json({'columns': map(
                    list(column_name order by column_index),
                    list({'data_type': data_type} order by column_index)
                )})
                from duckdb_columns()
                where
                    database_name = current_database()
                    and schema_name = '{{ this.schema }}'
                    and table_name = '{{ this.identifier }}'
            {%- endset -%}
            {{ log(run_query(told)[0][0], info=true) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
