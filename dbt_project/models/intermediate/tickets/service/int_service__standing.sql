-- How a ticket stood when a period ended: open, and since when nobody touched it, or closed, and how. A closing that
-- was undone before the end is void, as in CHAOSS's "issues closed" when a reopened ticket counts as no new one.
with issues as (
    select item_id, repository, is_closed, created_at
    from {{ ref('int_issue__cleaned') }}
),

vanished as (
    select item_id, last_seen_at
    from {{ ref('int_issue__vanished') }}
),

closings as (
    select *
    from {{ ref('int_issue__closing') }}
),

-- What bots do to a ticket is no attention; a ticket that one opened waits from then on.
acts as (
    select item_id, event_at
    from {{ ref('int_issue__event') }}
    where actor_kind <> 'bot'
),

-- Only events tell what was reopened, and they tell of every closing.
told as (
    select distinct item_id
    from {{ ref('stg_github__event') }}
    where lower(event_type) = 'closed'
),

-- Of those that somebody closed nobody knows when, it is not known when they were open.
timed as (
    select issues.item_id, issues.repository, issues.created_at
    from issues
    left join (select distinct item_id from closings) as closed on issues.item_id = closed.item_id
    where not issues.is_closed or closed.item_id is not null
),

observed as (
    select
        timed.item_id,
        timed.repository,
        periods.period,
        timed.created_at,
        periods.starts_at,
        periods.ends_at
    from timed
    inner join {{ ref('int_repository__period') }} as periods
        on timed.repository = periods.repository and timed.created_at <= periods.ends_at
    left join vanished on timed.item_id = vanished.item_id
    where coalesce(periods.ends_at <= vanished.last_seen_at, true)
),

closed as (
    select
        observed.item_id,
        observed.period,
        max(closings.closed_at) filter (
            where coalesce(closings.reopened_at > observed.ends_at, true)
        ) as closed_at,
        max_by(closings.resolution_kind, closings.closed_at) filter (
            where coalesce(closings.reopened_at > observed.ends_at, true)
        ) as resolution_kind,
        max_by(closings.is_resolution, closings.closed_at) filter (
            where coalesce(closings.reopened_at > observed.ends_at, true)
        ) as is_resolution,
        bool_or(closings.closed_at >= observed.starts_at) as was_closed,
        bool_or(closings.closed_at >= observed.starts_at and closings.reopened_at <= observed.ends_at) as was_reopened
    from observed
    inner join closings on observed.item_id = closings.item_id and observed.ends_at >= closings.closed_at
    group by observed.item_id, observed.period
)

select
    observed.item_id,
    observed.repository,
    observed.period,
    observed.created_at >= observed.starts_at as is_new,
    closed.closed_at is null as is_open,
    coalesce(closed.closed_at >= observed.starts_at, false) as is_closed,
    coalesce(closed.closed_at >= observed.starts_at and closed.is_resolution, false) as is_resolved,
    coalesce(closed.closed_at >= observed.starts_at and closed.resolution_kind = 'stale', false) as is_stale,
    coalesce(closed.was_closed and told.item_id is not null, false) as was_closed,
    coalesce(closed.was_reopened and told.item_id is not null, false) as was_reopened,
    case when closed.closed_at is null then {{ hours_between('observed.created_at', 'observed.ends_at') }} end
        as age_hours,
    case
        when closed.closed_at is null
            then {{ hours_between('greatest(observed.created_at, acts.event_at)', 'observed.ends_at') }}
    end as idle_hours
from observed
left join closed on observed.item_id = closed.item_id and observed.period = closed.period
left join told on observed.item_id = told.item_id
{{ asof_join('acts', on=['observed.item_id = acts.item_id'], until='observed.ends_at >= acts.event_at') }}
-- What was over before the period began has no part in it.
where
    closed.closed_at is null
    or closed.was_closed
    or observed.created_at >= observed.starts_at
