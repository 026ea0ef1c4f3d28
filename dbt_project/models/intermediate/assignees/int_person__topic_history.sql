-- How many issues of one topic each person has handled, and how fast, after each day on which that changed.
with handlers as (
    select repository, topic, login, item_id, log_hours, closed_at::date as day
    from {{ ref('int_issue__handler') }}
    where topic is not null
),

running as (
    select
        repository,
        topic,
        login,
        day,
        count(*) over until_day as handled,
        {{ running_median('log_hours') }} over until_day as median_log_hours
    from handlers
    window until_day as (partition by repository, topic, login order by day range unbounded preceding)
)

select
    repository,
    topic,
    login,
    repository || '|' || topic || '|' || login || '|' || day as id,
    any_value(handled)::integer as handled,
    any_value(median_log_hours) as median_log_hours,
    {{ last_instant('day') }} as event_timestamp,
    {{ last_instant('day') }} as available_at
from running
group by repository, topic, login, day
