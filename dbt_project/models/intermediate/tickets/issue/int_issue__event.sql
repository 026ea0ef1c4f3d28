-- Every dated fact of an issue, whichever part of the record tells it, with who did it. A fact that several parts
-- tell is one. All of it is known when it happens.
-- Who somebody is, is judged by what was known then. Members are those who by then did what needs rights to somebody
-- else's issue, or were called so at a comment. The latter GitHub says as of the download: a feature tells by
-- has_rights alone, never by the kind, who is a member.
{% set needs_no_rights = (
    'opened', 'commented', 'referenced', 'mentioned', 'subscribed', 'unsubscribed', 'connected', 'disconnected'
) %}

with issues as (
    select item_id, repository, author_login, closed_by_login, state_reason, created_at, closed_at
    from {{ ref('stg_github__issue') }}
    where not is_pull_request
),

comments as (
    select * from {{ ref('stg_github__comment') }}
),

events as (
    select
        *,
        case lower(event_type)
            when 'labeled' then 'labelled'
            when 'unlabeled' then 'unlabelled'
            when 'cross-referenced' then 'referenced'
            else lower(event_type)
        end as event
    from {{ ref('stg_github__event') }}
    where lower(event_type) <> 'opened'
),

-- The record names its last closing, which events may tell as well; their clocks differ by seconds.
closings as (
    select
        issues.item_id,
        issues.closed_at,
        issues.closed_by_login,
        issues.state_reason,
        min(events.created_at) as told_at
    from issues
    left join events
        on
            issues.item_id = events.item_id
            and events.event = 'closed'
            and abs({{ hours_between('issues.closed_at', 'events.created_at') }}) <= 1 / 60
    where issues.closed_at is not null
    group by issues.item_id, issues.closed_at, issues.closed_by_login, issues.state_reason
),

told as (
    select
        item_id,
        0 as position,
        'opened' as source,
        'opened' as event,
        author_login as actor_id,
        null as label,
        null as assignee,
        null as state_reason,
        null as commit_id,
        false as is_called_member,
        created_at as event_at
    from issues
    union all
    select
        item_id,
        position,
        'comment' as source,
        'commented' as event,
        author_login as actor_id,
        null as label,
        null as assignee,
        null as state_reason,
        null as commit_id,
        coalesce(author_association in ('OWNER', 'MEMBER', 'COLLABORATOR'), false) as is_called_member,
        created_at as event_at
    from comments
    union all
    select
        events.item_id,
        events.position,
        'event' as source,
        events.event,
        coalesce(events.actor_login, closings.closed_by_login) as actor_id,
        events.label,
        events.assignee_login as assignee,
        coalesce(events.state_reason, closings.state_reason) as state_reason,
        events.commit_id,
        false as is_called_member,
        events.created_at as event_at
    from events
    left join closings
        on
            events.item_id = closings.item_id
            and events.event = 'closed'
            and events.created_at = closings.told_at
    union all
    select
        item_id,
        0 as position,
        'record' as source,
        'closed' as event,
        closed_by_login as actor_id,
        null as label,
        null as assignee,
        state_reason,
        null as commit_id,
        false as is_called_member,
        closed_at as event_at
    from closings
    where told_at is null
),

facts as (
    select
        told.item_id,
        issues.repository,
        issues.author_login,
        told.event,
        told.event_at,
        told.actor_id,
        told.label,
        told.assignee,
        max(told.state_reason) as state_reason,
        max(told.commit_id) as commit_id,
        min(told.position) as position,
        min_by(told.source, (told.position, told.source)) as source,
        bool_or(told.is_called_member) as is_called_member
    from told
    inner join issues on told.item_id = issues.item_id
    group by all
),

judged as (
    select
        *,
        {{ is_bot('actor_id', 'event_at') }} as is_bot,
        coalesce(lower(actor_id) = lower(author_login), false) as is_author
    from facts
),

ranked as (
    select
        *,
        bool_or(not is_author and event not in {{ needs_no_rights }}) over so_far as has_rights,
        bool_or(not is_author and is_called_member) over so_far as was_called_member
    from judged
    window so_far as (partition by repository, lower(actor_id) order by event_at range unbounded preceding)
)

select
    item_id,
    concat_ws('/', item_id, source, position) as event_id,
    repository,
    position,
    event,
    actor_id,
    case
        when is_bot then 'bot'
        when {{ is_placeholder('actor_id') }} then 'unknown'
        when is_author then 'author'
        when has_rights or was_called_member then 'member'
        else 'other'
    end as actor_kind,
    not is_bot and has_rights and actor_id is not null as has_rights,
    label,
    assignee,
    state_reason,
    commit_id,
    event_at,
    event_at as known_at
from ranked
