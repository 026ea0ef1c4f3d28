-- What was known of a person in a repository when a UTC day was over: work done, its speed, and what was open.
-- "Involved" counts the open issues that the person has commented on; "assigned" those that events say are theirs.
with act_days as (
    select *
    from {{ ref('int_person__act_day') }}
),

issues as (
    select item_id, repository, closed_at
    from {{ ref('int_issue__cleaned') }}
),

involvements as (
    select
        issues.repository,
        comments.author_login as login,
        min(comments.created_at) as began_at,
        any_value(issues.closed_at) as ended_at
    from {{ ref('stg_github__comment') }} as comments
    inner join issues on comments.item_id = issues.item_id
    where
        not {{ is_placeholder('comments.author_login') }}
        and (issues.closed_at is null or comments.created_at < issues.closed_at)
    group by comments.item_id, issues.repository, comments.author_login
),

assignments as (
    select repository, assignee_login as login, assigned_at, released_at
    from {{ ref('int_issue__assignment') }}
),

changes as (
    select repository, login, day, 0 as involved, 0 as assigned
    from act_days
    union all
    select repository, login, began_at::date as day, 1 as involved, 0 as assigned
    from involvements
    union all
    select repository, login, ended_at::date as day, -1 as involved, 0 as assigned
    from involvements
    where ended_at is not null
    union all
    select repository, login, assigned_at::date as day, 0 as involved, 1 as assigned
    from assignments
    union all
    select repository, login, released_at::date as day, 0 as involved, -1 as assigned
    from assignments
    where released_at is not null
),

daily as (
    select
        repository,
        login,
        day,
        sum(involved) as involved,
        sum(assigned) as assigned
    from changes
    group by repository, login, day
),

burdens as (
    select
        repository,
        login,
        day,
        sum(involved) over until_day as open_involved,
        sum(assigned) over until_day as open_assigned
    from daily
    window until_day as (partition by repository, login order by day rows unbounded preceding)
),

-- What changes rarely is worked out where it changes: a running median is dear.
handled as (
    select
        repository,
        login,
        closed_at::date as day,
        count(*) over until_day as handled,
        {{ running_median('log_hours') }} over until_day as median_log_hours
    from {{ ref('int_issue__handler') }}
    window until_day as (partition by repository, login order by closed_at::date range unbounded preceding)
),

handled_on as (
    select
        repository,
        login,
        day,
        any_value(handled) as handled,
        any_value(median_log_hours) as median_log_hours
    from handled
    group by repository, login, day
),

first_acts as (
    select repository, login, min(day) as first_act_on
    from act_days
    group by repository, login
)

select
    burdens.repository,
    burdens.login,
    burdens.repository || '|' || burdens.login || '|' || burdens.day as id,
    coalesce(act_days.acts, 0) as acts,
    coalesce(handled_on.handled, 0)::integer as handled,
    burdens.open_involved::integer as open_involved,
    burdens.open_assigned::integer as open_assigned,
    handled_on.median_log_hours,
    first_acts.first_act_on,
    act_days.day as last_seen_on,
    handled_on.day as last_handled_on,
    {{ last_instant('burdens.day') }} as event_timestamp,
    {{ last_instant('burdens.day') }} as available_at
from burdens
{{ asof_join(
    'act_days',
    on=['burdens.repository = act_days.repository', 'burdens.login = act_days.login'],
    until='burdens.day >= act_days.day'
) }}
{{ asof_join(
    'handled_on',
    on=['burdens.repository = handled_on.repository', 'burdens.login = handled_on.login'],
    until='burdens.day >= handled_on.day'
) }}
left join first_acts
    on
        burdens.repository = first_acts.repository
        and burdens.login = first_acts.login
        and burdens.day >= first_acts.first_act_on
