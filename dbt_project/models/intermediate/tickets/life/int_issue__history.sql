-- What had happened in an issue: one row per instant at which something new was known. What is dated before the
-- creation did not happen in it.
with issues as (
    select item_id, created_at
    from {{ ref('int_issue__cleaned') }}
),

events as (
    select
        events.item_id,
        events.event,
        events.actor_id,
        case when events.actor_kind = 'member' then 'other' else events.actor_kind end as actor_kind,
        events.label,
        events.known_at
    from {{ ref('int_issue__event') }} as events
    inner join issues on events.item_id = issues.item_id and events.event_at >= issues.created_at
    where events.event <> 'opened'
),

links as (
    select item_id, linked_at, pull_request_closed_at
    from {{ ref('int_issue__pull_request_link') }}
),

facts as (
    select
        item_id,
        event,
        actor_kind,
        label,
        case event
            when 'labelled' then 1
            when 'unlabelled' then -1
        end as labels,
        case event
            when 'milestoned' then 1
            when 'demilestoned' then -1
        end as milestones,
        -- The first words of each person but the author.
        (
            event = 'commented' and actor_kind = 'other'
            and row_number() over (partition by item_id, event, actor_id order by known_at) = 1
        )::integer as people,
        known_at
    from events
    union all by name
    select item_id, 'pull request linked' as event, 1 as open_pull_requests, linked_at as known_at
    from links
    union all by name
    select item_id, 'pull request closed' as event, -1 as open_pull_requests, pull_request_closed_at as known_at
    from links
    where pull_request_closed_at is not null
)

select
    item_id,
    row_number() over so_far as id,
    count(*) filter (where event = 'commented' and actor_kind = 'author') over so_far as comments_author,
    count(*) filter (where event = 'commented' and actor_kind = 'other') over so_far as comments_other,
    count(*) filter (where event = 'commented' and actor_kind = 'bot') over so_far as comments_bot,
    coalesce(sum(people) over so_far, 0) as people,
    count(*) filter (where event = 'reopened') over so_far as reopenings,
    coalesce(sum(labels) over so_far, 0) as labels,
    coalesce(sum(milestones) over so_far, 0) > 0 as has_milestone,
    bool_or(coalesce({{ is_severe_label('label') }}, false)) over so_far as was_called_severe,
    count(*) filter (where event = 'pull request linked') over so_far as pull_requests,
    coalesce(sum(open_pull_requests) over so_far, 0) as open_pull_requests,
    max(known_at) filter (where event = 'commented' and actor_kind <> 'bot') over so_far as last_comment_at,
    max(known_at) filter (where event = 'commented' and actor_kind = 'other') over so_far as last_answer_at,
    max(known_at) filter (where event = 'pull request linked') over so_far as last_pull_request_at,
    max(known_at) filter (where actor_kind <> 'bot') over so_far as last_event_at,
    known_at as event_timestamp,
    known_at as available_at
from facts
window so_far as (
    partition by item_id order by known_at, event, label, actor_kind, people
    rows between unbounded preceding and current row
)
