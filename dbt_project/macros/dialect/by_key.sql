-- Models whose rows of one key (a person, an issue) are made of the rows of that key alone: where little of what they
-- read has changed, the other rows are carried over from the last time. What comes out is what a full build gives.
-- An engine that cannot swap tables in one transaction builds them in full.
--
--     {{ by_key('login', ['int_person__fact']) }}
--     select … from {{ of_changed(ref('int_person__fact')) }} …
--
-- All that the model reads is named, and all of it has the key, which is never null.
{% macro by_key(key, inputs) -%}
    {{ config(
        materialized='by_key' if target.type == 'duckdb' else 'table',
        meta={'key': key, 'inputs': inputs}
    ) }}
{%- endmacro %}

-- A relation, where only some keys are built its rows of those.
{% macro of_changed(relation) -%}
    {%- if target.type == 'duckdb' and flags.WHICH in ('build', 'run') and model.resource_type == 'model' -%}
        (
            select *
            from {{ relation }}
            where {{ model.config.meta.key }} in (select key from {{ carried('changed') }})
        )
    {%- else -%}
        {{ relation }}
    {%- endif -%}
{%- endmacro %}

-- What is noted about a model: `digest`, by key, of what it was made of, with a comment that says by which code; `now`,
-- the same of what there is; the keys that `changed`.
{% macro carried(what) -%}
    carried."{{ this.identifier }}__{{ what }}"
{%- endmacro %}

{% macro note_changes(is_kept) -%}
    {%- set key = model.config.meta.key -%}
    create or replace table {{ carried('now') }} as
    select
        key,
        count(*) as n,
        bit_xor(row) as one_hash,
        sum(row::hugeint) as other_hash
    from (
        {%- for input in model.config.meta.inputs %}
        select {{ key }} as key, hash({{ loop.index }}, input) as row
        from {{ ref(input) }} as input
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    )
    group by key;
    {%- if not is_kept %}
    create or replace table {{ carried('digest') }} as from {{ carried('now') }} limit 0;
    {%- endif %}
    create or replace table {{ carried('changed') }} as
    select distinct key
    from (
        (from {{ carried('now') }} except from {{ carried('digest') }})
        union all
        (from {{ carried('digest') }} except from {{ carried('now') }})
    )
{%- endmacro %}

{% materialization by_key, adapter='duckdb' %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set code = local_md5(compiled_code ~ run_query('select version()')[0][0]) -%}
    {%- set is_kept = existing is not none and existing.is_table and not should_full_refresh() and run_query(
        "select exists (from duckdb_tables() where schema_name = 'carried' and table_name = '"
        ~ this.identifier ~ "__digest' and comment = '" ~ code ~ "')"
    )[0][0] -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set fresh = make_intermediate_relation(target_relation) -%}
    {{ drop_relation_if_exists(load_cached_relation(fresh)) }}
    {{ run_hooks(pre_hooks) }}

    {% call statement('changes') %}{{ note_changes(is_kept) }}{% endcall %}
    {% set sql -%}
        {%- if is_kept %}
        from (
            {{ compiled_code }}
        )
        union all by name
        from {{ existing }}
        where {{ model.config.meta.key }} not in (select key from {{ carried('changed') }})
        {%- else -%}
        {{ compiled_code }}
        {%- endif -%}
    {%- endset %}
    {% call statement('main') %}{{ create_table_as(False, fresh, sql) }}{% endcall %}
    {% call statement('noted') %}
        create or replace table {{ carried('digest') }} as from {{ carried('now') }};
        comment on table {{ carried('digest') }} is '{{ code }}';
        drop table {{ carried('now') }};
    {% endcall %}
    {% if existing is not none %}{{ adapter.drop_relation(existing) }}{% endif %}
    {{ adapter.rename_relation(fresh, target_relation) }}

    {{ run_hooks(post_hooks) }}
    {% do persist_docs(target_relation, model) %}
    {{ adapter.commit() }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
