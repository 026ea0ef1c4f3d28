-- Assignments that an event proves, from the event until the same person's next unassignment or the closing.
-- The assignees of a record are as of the crawl: they never enter here.
with events as (
    select item_id, repository, event_type, assignee_login, created_at, position
    from {{ ref('stg_github__event') }}
    where event_type in ('assigned', 'unassigned') and assignee_login is not null
),

resolutions as (
    select item_id, is_censored, resolution_hours, closed_at, labelled_at
    from {{ ref('int_issue__resolution') }}
),

spans as (
    select
        *,
        lead(created_at) over (partition by item_id, assignee_login order by created_at, position) as next_at
    from events
)

select
    spans.item_id,
    spans.repository,
    spans.position,
    spans.assignee_login,
    spans.created_at as assigned_at,
    least(spans.next_at, resolutions.closed_at) as released_at,
    coalesce(resolutions.closed_at <= coalesce(spans.next_at, resolutions.closed_at), false) as is_released_by_closing,
    case when not resolutions.is_censored then ln(1 + resolutions.resolution_hours) end as log_hours,
    resolutions.labelled_at
from spans
inner join resolutions on spans.item_id = resolutions.item_id
where
    spans.event_type = 'assigned'
    and (resolutions.closed_at is null or resolutions.closed_at > spans.created_at)
