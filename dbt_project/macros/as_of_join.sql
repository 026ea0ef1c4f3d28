-- Point-in-time join of a spine to a history.
--
-- `spine`: a relation with `item_id`, `event_at` (the observation time T) and the column(s) of `key`.
-- `history`: a relation with the same key, `event_timestamp` (when the fact was true), `available_at`
-- (greatest of the time it was true and the time it was known), an `id` that breaks ties, and `features`.
--
-- "The newest row by available_at" is wrong: an old fact that arrives late would replace a newer one.
-- So only rows survive that are, in the order in which they became available, the newest fact so far.
-- The comparison with T is strict: an item's own creation is stamped T and must not be its own history.
-- A match older than `ttl` (an interval such as '365 days') gives nulls, as if nothing were known.
-- Where a history is `in_order` (its tests hold that all is known when it is true, and one row per key and instant)
-- all of its rows survive.
{% macro as_of_join(spine, history, key, features, ttl, in_order=false) -%}
    {%- if not in_order -%}
    with facts as (
        select
            {{ key | join(', ') }},
            event_timestamp,
            available_at,
            {{ features | join(', ') }},
            (event_timestamp, available_at, id) as recency,
            max((event_timestamp, available_at, id)) over (
                partition by {{ key | join(', ') }}
                order by available_at, event_timestamp, id
                rows between unbounded preceding and current row
            ) as newest_recency,
            -- Of the facts that become available in the same instant only the last may answer.
            lead(available_at) over (
                partition by {{ key | join(', ') }}
                order by available_at, event_timestamp, id
            ) as next_available_at
        from {{ history }}
    ),

    usable_facts as (
        select *
        from facts
        where
            recency = newest_recency
            and (next_available_at is null or next_available_at > available_at)
    )
    {%- endif %}

    select
        observed.item_id,
        observed.event_at,
        matched.event_timestamp,
        matched.available_at,
        {%- for feature in features %}
        case
            when matched.event_timestamp >= observed.event_at - interval '{{ ttl }}' then matched.{{ feature }}
        end as {{ feature }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ spine }} as observed
    {% set same_key = [] -%}
    {%- for column in key -%}
        {%- do same_key.append('observed.' ~ column ~ ' = matched.' ~ column) -%}
    {%- endfor -%}
    {{ asof_join((history if in_order else 'usable_facts') ~ ' as matched', on=same_key, until='observed.event_at > matched.available_at') }}
{%- endmacro %}

-- The TTL that a feature view declares in its yml: said once, read here and by the feature registry.
{% macro feature_ttl() -%}
    {{ return((config.get('meta') or {}).get('ttl')) }}
{%- endmacro %}
