-- What had happened in an issue: one row per instant at which something new was known. What is dated before the
-- creation did not happen in it.
-- People with rights are told by what they had done before, never by what they are called as of the download.
with issues as (
    select item_id, created_at
    from {{ ref('int_issue__cleaned') }}
),

events as (
    select
        told.item_id,
        told.event,
        told.actor_id,
        case
            when told.actor_kind in ('author', 'bot') then told.actor_kind
            when told.has_rights then 'member'
            else 'other'
        end as actor_kind,
        told.label,
        told.event_id as fact_id,
        told.known_at
    from {{ ref('int_issue__event') }} as told
    inner join issues on told.item_id = issues.item_id and told.event_at >= issues.created_at
    where told.event <> 'opened'
),

links as (
    select item_id, pull_request_id, linked_at, pull_request_closed_at
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
        null::integer as open_pull_requests,
        actor_kind in ('member', 'other') as is_answerer,
        -- The first words of each person but the author.
        is_answerer
        and row_number() over (partition by item_id, event, lower(actor_id) order by known_at, fact_id) = 1
        and event = 'commented' as is_new_person,
        fact_id,
        known_at
    from events
    union all
    select
        item_id,
        'pull request linked' as event,
        null as actor_kind,
        null as label,
        null as labels,
        null as milestones,
        1 as open_pull_requests,
        false as is_answerer,
        false as is_new_person,
        pull_request_id as fact_id,
        linked_at as known_at
    from links
    union all
    select
        item_id,
        'pull request closed' as event,
        null as actor_kind,
        null as label,
        null as labels,
        null as milestones,
        -1 as open_pull_requests,
        false as is_answerer,
        false as is_new_person,
        pull_request_id as fact_id,
        pull_request_closed_at as known_at
    from links
    where pull_request_closed_at is not null
)

select
    item_id,
    row_number() over so_far as id,
    {%- for kind in ['author', 'member', 'other', 'bot'] %}
    count(*) filter (where event = 'commented' and actor_kind = '{{ kind }}') over so_far as comments_{{ kind }},
    {%- endfor %}
    count(*) filter (where is_new_person) over so_far as people,
    count(*) filter (where event = 'reopened') over so_far as reopenings,
    greatest(coalesce(sum(labels) over so_far, 0), 0) as labels,
    coalesce(sum(milestones) over so_far, 0) > 0 as has_milestone,
    bool_or(coalesce({{ is_severe_label('label') }}, false)) over so_far as was_called_severe,
    count(*) filter (where event = 'pull request linked') over so_far as pull_requests,
    coalesce(sum(open_pull_requests) over so_far, 0) as open_pull_requests,
    max(known_at) filter (where event = 'commented' and actor_kind <> 'bot') over so_far as last_comment_at,
    max(known_at) filter (where event = 'commented' and actor_kind = 'author') over so_far as last_author_comment_at,
    max(known_at) filter (where event = 'commented' and is_answerer) over so_far as last_answer_at,
    max(known_at) filter (where event = 'pull request linked') over so_far as last_pull_request_at,
    max(known_at) filter (where coalesce(actor_kind, '') <> 'bot') over so_far as last_event_at,
    known_at as event_timestamp,
    known_at as available_at
from facts
window so_far as (
    partition by item_id order by known_at, event, fact_id
    rows between unbounded preceding and current row
)
