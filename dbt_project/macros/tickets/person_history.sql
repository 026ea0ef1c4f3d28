-- What was known about a person after each of their facts. `key` says who counts as the same person: a login
-- anywhere, or a login within one repository.
{% macro person_history(key) -%}
    {%- set keys = key | join(', ') -%}
    with facts as (
        select *
        from {{ ref('int_person__fact') }}
    ),

    running as (
        select
            {{ keys }},
            fact_id,
            known_at,
            count(*) filter (where fact = 'issue opened') over known as issues_opened,
            count(*) filter (where fact = 'pull request opened') over known as pull_requests_opened,
            count(*) filter (where fact = 'commented') over known as comments,
            count(*) filter (where fact = 'issue closed') over known as issues_closed,
            count(*) filter (where fact = 'issue resolved') over known as issues_resolved,
            sum(n_resolved_in_time) over known / nullif(sum(n_decided) over known, 0) as share_resolved_7d,
            min(fact_at) over known as first_seen_at,
            -- A closing need not be the person's own act.
            max(fact_at) filter (where fact in ('issue opened', 'pull request opened', 'commented')) over known
                as last_seen_at,
            max(fact_at) filter (where fact = 'issue opened') over known as last_issue_at
        from facts
        window known as (partition by {{ keys }} order by known_at range unbounded preceding)
    ),

    -- A running median is dear: it is taken over the resolutions alone, a tenth of the facts.
    speeds as (
        select
            {{ keys }},
            known_at,
            {{ running_median('log_hours') }} over (partition by {{ keys }} order by known_at range unbounded preceding)
                as median_log_hours
        from facts
        where fact = 'issue resolved'
    ),

    speed_at as (
        select {{ keys }}, known_at, any_value(median_log_hours) as median_log_hours
        from speeds
        group by {{ keys }}, known_at
    )

    select
        {% for column in key %}running.{{ column }},
        {% endfor -%}
        -- Facts of the same instant are peers: each of their rows already counts them all.
        min(running.fact_id) as id,
        any_value(running.issues_opened)::integer as issues_opened,
        any_value(running.pull_requests_opened)::integer as pull_requests_opened,
        any_value(running.comments)::integer as comments,
        any_value(running.issues_closed)::integer as issues_closed,
        any_value(running.issues_resolved)::integer as issues_resolved,
        any_value(running.share_resolved_7d) as share_resolved_7d,
        any_value(speed_at.median_log_hours) as median_log_hours,
        any_value(running.first_seen_at) as first_seen_at,
        any_value(running.last_seen_at) as last_seen_at,
        any_value(running.last_issue_at) as last_issue_at,
        running.known_at as event_timestamp,
        running.known_at as available_at
    from running
    {% set same_key = [] -%}
    {%- for column in key -%}
        {%- do same_key.append('running.' ~ column ~ ' = speed_at.' ~ column) -%}
    {%- endfor -%}
    {{ asof_join('speed_at', on=same_key, until='running.known_at >= speed_at.known_at') }}
    group by {% for column in key %}running.{{ column }}, {% endfor %}running.known_at
{%- endmacro %}
