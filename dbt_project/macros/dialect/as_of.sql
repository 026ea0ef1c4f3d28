-- For each row the newest row of a relation that matches it: of those that meet the conditions `on`, the one nearest
-- to the comparison `until` of two times, of which one is the relation's own.
{% macro asof_join(relation, on, until, kind='left') -%}
    {{ return(adapter.dispatch('asof_join')(relation, on, until, kind)) }}
{%- endmacro %}

{% macro default__asof_join(relation, on, until, kind) -%}
    asof {{ kind }} join {{ relation }}
        on {{ (on + [until]) | join(' and ') }}
{%- endmacro %}

-- Off by default: `spark.sql.join.asofJoin.enabled` in profiles.yml.
{% macro spark__asof_join(relation, on, until, kind) -%}
    {{ kind }} asof join {{ relation }}
        match_condition ({{ until }})
        on {{ on | join(' and ') }}
{%- endmacro %}
