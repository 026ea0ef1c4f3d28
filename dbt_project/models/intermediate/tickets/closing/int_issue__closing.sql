-- Every closing of an issue: what it was, by the strongest evidence, and whether it resolved the issue.
-- Only the last closing can: who reopens an issue says that the earlier one did not.
with events as (
    select * from {{ ref('int_issue__event') }}
),

issues as (
    select item_id, is_closed, created_at
    from {{ ref('int_issue__cleaned') }}
),

reopenings as (
    select item_id, event_at
    from events
    where event = 'reopened'
),

closings as (
    select
        item_id,
        event_id,
        actor_id,
        actor_kind,
        event_at as closed_at,
        row_number() over in_turn as closing_number,
        lead(event_at) over in_turn as next_closed_at
    from events
    where event = 'closed'
    window in_turn as (partition by item_id order by event_at, event_id)
),

verdicts as (
    select
        closing_id,
        min_by(kind, (place, evidence)) as kind,
        min_by(evidence, (place, evidence)) as evidence,
        min_by(kind, (place, evidence)) filter (where is_dated) as dated_kind
    from {{ ref('int_issue__closing_evidence') }}
    group by closing_id
),

followed as (
    select
        closings.*,
        (
            select min(reopenings.event_at)
            from reopenings
            where
                reopenings.item_id = closings.item_id
                and reopenings.event_at > closings.closed_at
                and (closings.next_closed_at is null or reopenings.event_at <= closings.next_closed_at)
        ) as reopened_at
    from closings
),

judged as (
    select
        followed.*,
        coalesce(verdicts.kind, 'unknown') as resolution_kind,
        coalesce(verdicts.dated_kind, 'unknown') as dated_kind,
        verdicts.evidence,
        issues.is_closed
        and followed.next_closed_at is null
        and followed.reopened_at is null
        and followed.closed_at > issues.created_at as is_final
    from followed
    inner join issues on followed.item_id = issues.item_id
    left join verdicts on followed.event_id = verdicts.closing_id
)

select
    item_id,
    closing_number,
    event_id as closing_id,
    actor_id,
    actor_kind,
    resolution_kind,
    dated_kind,
    evidence,
    is_final and resolution_kind in ('{{ var("resolving_kinds") | join("', '") }}') as is_resolution, -- noqa: LT05
    is_final and dated_kind in ('{{ var("resolving_kinds") | join("', '") }}') as was_resolution, -- noqa: LT05
    closing_number = 1 as is_first,
    next_closed_at is null as is_last,
    closed_at,
    reopened_at,
    {{ end_of_day('closed_at') }} as known_at
from judged
