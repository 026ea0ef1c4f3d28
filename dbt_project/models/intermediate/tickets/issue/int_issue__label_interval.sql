-- Labels of issues as events prove them, from the event until the next one about the same label. The labels of a
-- record are as of the crawl, many of them set at or after the closing: they never enter here.
with events as (
    select item_id, repository, event_type, label, created_at, position
    from {{ ref('stg_github__event') }}
    where event_type in ('labeled', 'unlabeled') and label <> ''
),

issues as (
    select item_id
    from {{ ref('int_issue__cleaned') }}
),

spans as (
    select
        *,
        lead(created_at) over (partition by item_id, label order by created_at, position) as next_at
    from events
)

select
    spans.item_id,
    spans.repository,
    spans.position,
    spans.label,
    spans.created_at as labeled_at,
    spans.next_at as unlabeled_at
from spans
inner join issues on spans.item_id = issues.item_id
where spans.event_type = 'labeled'
