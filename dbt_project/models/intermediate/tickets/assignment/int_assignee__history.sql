-- The load and speed of assignees within a repository: one row per instant at which something new was known.
with assignments as (
    select *
    from {{ ref('int_issue__assignment') }}
),

facts as (
    select
        repository,
        assignee_login,
        event_id || '/assigned' as fact_id,
        1 as load,
        0 as closed,
        null::double as log_hours,
        assigned_at as known_at
    from assignments
    union all
    select
        repository,
        assignee_login,
        event_id || '/released' as fact_id,
        -1 as load,
        is_released_by_closing::integer as closed,
        null as log_hours,
        released_at as known_at
    from assignments
    where released_at is not null
    union all
    select
        repository,
        assignee_login,
        event_id || '/resolved' as fact_id,
        0 as load,
        0 as closed,
        log_hours,
        labelled_at as known_at
    from assignments
    where is_released_by_closing and log_hours is not null
),

running as (
    select
        repository,
        assignee_login,
        fact_id,
        known_at,
        sum(load) over known as open_load,
        sum(closed) over known as tickets_closed,
        {{ running_median('log_hours') }} over known as median_log_hours
    from facts
    window known as (partition by repository, assignee_login order by known_at range unbounded preceding)
)

select
    repository,
    assignee_login,
    min(fact_id) as id,
    any_value(open_load)::integer as open_load,
    any_value(tickets_closed)::integer as tickets_closed,
    any_value(median_log_hours) as median_log_hours,
    known_at as event_timestamp,
    known_at as available_at
from running
group by repository, assignee_login, known_at
