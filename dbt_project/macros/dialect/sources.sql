-- Raw tables where the engine does not hold them itself.

{% macro register_sources() -%}
    {{ return(adapter.dispatch('register_sources')()) }}
{%- endmacro %}

-- They are in the file that dbt works on.
{% macro default__register_sources() -%}
{%- endmacro %}

-- The pipeline has written them as Parquet, one folder per table.
{% macro spark__register_sources() -%}
    {%- if execute and flags.WHICH in ('build', 'run', 'seed', 'test') -%}
        {%- for source in graph.sources.values() %}
            {%- do run_query('create schema if not exists ' ~ source.schema) %}
            {%- do run_query('drop table if exists ' ~ source.schema ~ '.' ~ source.name) %}
            {%- do run_query(
                'create table ' ~ source.schema ~ '.' ~ source.name ~ ' using parquet location \''
                ~ env_var('SPARK_DIR') ~ '/raw/' ~ source.name ~ '\''
            ) %}
        {%- endfor %}
    {%- endif -%}
{%- endmacro %}
