-- Says how many rows a table has once it is built, for whoever reads dbt's log. Only dbt can count them then: until
-- the run ends it holds the database. Elsewhere counting would be a job of its own.
{% macro tell_rows() -%}
    {%- if execute and target.type == 'duckdb' and model.config.materialized != 'view' -%}
        {{ log(run_query('select count(*) from ' ~ this)[0][0] ~ ' rows', info=true) }}
    {%- endif -%}
{%- endmacro %}
