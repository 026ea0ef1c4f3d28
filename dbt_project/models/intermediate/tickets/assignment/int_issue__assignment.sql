-- Assignments that an event proves, from the event until the same person's next unassignment or the closing.
-- The assignees of a record are as of the crawl: they never enter here.
with events as (
    select item_id, event_id, repository, position, event, assignee, event_at
    from {{ ref('int_issue__event') }}
    where event in ('assigned', 'unassigned') and assignee is not null
),

resolutions as (
    select item_id, is_censored, resolution_hours, closed_at, labelled_at
    from {{ ref('int_issue__resolution') }}
),

spans as (
    select
        *,
        lead(event_at) over (partition by item_id, assignee order by event_at, position) as next_at
    from events
)

select
    spans.item_id,
    spans.event_id,
    spans.repository,
    spans.assignee as assignee_login,
    spans.event_at as assigned_at,
    least(spans.next_at, resolutions.closed_at) as released_at,
    coalesce(resolutions.closed_at <= coalesce(spans.next_at, resolutions.closed_at), false) as is_released_by_closing,
    case when not resolutions.is_censored then ln(1 + resolutions.resolution_hours) end as log_hours,
    resolutions.labelled_at
from spans
inner join resolutions on spans.item_id = resolutions.item_id
where
    spans.event = 'assigned'
    and (resolutions.closed_at is null or resolutions.closed_at > spans.event_at)
