-- Labels of issues as events prove them, from the event until the next one about the same label. The labels of a
-- record are as of the crawl, many of them set at or after the closing: they never enter here.
with events as (
    select item_id, event_id, repository, position, event, label, event_at
    from {{ ref('int_issue__event') }}
    where event in ('labelled', 'unlabelled') and label <> ''
),

spans as (
    select
        *,
        lead(event_at) over (partition by item_id, label order by event_at, position) as next_at
    from events
)

select
    item_id,
    event_id,
    repository,
    label,
    event_at as labeled_at,
    next_at as unlabeled_at
from spans
where event = 'labelled'
