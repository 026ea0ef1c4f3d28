-- What was known about a person after each of their facts. `key` says who counts as the same person: a login
-- anywhere, or a login within one repository.
{% macro person_history(key) -%}
    {%- set keys = key | join(', ') -%}
    with facts as (
        select *
        from {{ of_changed(ref('int_person__fact')) }}
    ),

    -- Facts of the same instant are peers. Counted beforehand, a few numbers run through the window, not texts.
    instants as (
        select
            {{ keys }},
            known_at,
            min(fact_id) as id,
            count(*) filter (where fact = 'issue opened') as issues_opened,
            count(*) filter (where fact = 'pull request opened') as pull_requests_opened,
            count(*) filter (where fact = 'commented') as comments,
            count(*) filter (where fact = 'issue closed') as issues_closed,
            count(*) filter (where fact = 'issue resolved') as issues_resolved,
            sum(n_resolved_in_time) as n_resolved_in_time,
            sum(n_decided) as n_decided,
            min(fact_at) as first_seen_at,
            -- A closing need not be the person's own act.
            max(fact_at) filter (where fact in ('issue opened', 'pull request opened', 'commented'))
                as last_seen_at,
            max(fact_at) filter (where fact = 'issue opened') as last_issue_at
        from facts
        group by {{ keys }}, known_at
    ),

    running as (
        select
            {{ keys }},
            known_at,
            id,
            {%- for count in ['issues_opened', 'pull_requests_opened', 'comments', 'issues_closed', 'issues_resolved'] %}
            (sum({{ count }}) over known)::integer as {{ count }},
            {%- endfor %}
            sum(n_resolved_in_time) over known / nullif(sum(n_decided) over known, 0) as share_resolved_7d,
            min(first_seen_at) over known as first_seen_at,
            max(last_seen_at) over known as last_seen_at,
            max(last_issue_at) over known as last_issue_at
        from instants
        window known as (partition by {{ keys }} order by known_at rows unbounded preceding)
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
        running.id,
        running.issues_opened,
        running.pull_requests_opened,
        running.comments,
        running.issues_closed,
        running.issues_resolved,
        running.share_resolved_7d,
        speed_at.median_log_hours,
        running.first_seen_at,
        running.last_seen_at,
        running.last_issue_at,
        running.known_at as event_timestamp,
        running.known_at as available_at
    from running
    {% set same_key = [] -%}
    {%- for column in key -%}
        {%- do same_key.append('running.' ~ column ~ ' = speed_at.' ~ column) -%}
    {%- endfor -%}
    {{ asof_join('speed_at', on=same_key, until='running.known_at >= speed_at.known_at') }}
{%- endmacro %}
