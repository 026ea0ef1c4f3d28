-- How the issues of a key were answered within a trailing window: one row per instant at which something new was known.
{% macro response_history(key, days) -%}
    {%- set keys = key | join(', ') -%}
    {%- set horizons = var('response_horizons_days') -%}
    with running as (
        select
            {{ keys }},
            item_id,
            known_at,
            count(*) filter (where fact = 'opened') over lately as opened,
            count(*) filter (where fact = 'answered') over lately as answered,
            {{ exact_mean("case when fact = 'answered' then value end") }} over lately as mean_log_hours,
            {%- for horizon in horizons %}
            sum(value) filter (where horizon_days = {{ horizon }}) over lately
            / nullif(count(*) filter (where horizon_days = {{ horizon }}) over lately, 0) as share_answered_{{ horizon }}d,
            {%- endfor %}
            max(known_at) filter (where fact = 'answered') over lately as last_answered_at
        from {{ ref('int_response__fact') }}
        {%- if 'author_login' in key %}
        where not {{ is_placeholder('author_login') }}
        {%- endif %}
        window lately as (
            partition by {{ keys }} order by known_at
            range between interval '{{ days }} days' preceding and current row
        )
    )

    select
        {% for column in key %}{{ column }},
        {% endfor -%}
        min(item_id) as id,
        any_value(opened)::integer as opened,
        any_value(answered)::integer as answered,
        any_value(mean_log_hours)::double as mean_log_hours,
        {%- for horizon in horizons %}
        any_value(share_answered_{{ horizon }}d) as share_answered_{{ horizon }}d,
        {%- endfor %}
        any_value(last_answered_at) as last_answered_at,
        known_at as event_timestamp,
        known_at as available_at
    from running
    group by {{ keys }}, known_at
{%- endmacro %}
