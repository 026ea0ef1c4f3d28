-- Who first answered an issue: the first comment, label, assignment or closing by a person who is not its author. The
-- answer of a program is told apart. What nobody can be named for may have been an answer: from then on nobody knows.
with issues as (
    select item_id, repository, is_closed, created_at
    from {{ ref('int_issue__cleaned') }}
),

records as (
    select item_id, has_known_comments
    from {{ ref('stg_github__issue') }}
),

acts as (
    select events.item_id, events.event, events.actor_kind, events.event_at, events.position
    from {{ ref('int_issue__event') }} as events
    inner join issues on events.item_id = issues.item_id
    where
        events.event in ('commented', 'labelled', 'assigned', 'closed')
        and events.event_at > issues.created_at
),

first_acts as (
    select
        item_id,
        min(event_at) filter (where actor_kind in ('member', 'other')) as responded_at,
        min_by(event, (event_at, event, position)) filter (where actor_kind in ('member', 'other')) as response,
        min(event_at) filter (where actor_kind = 'bot') as bot_responded_at,
        min(event_at) filter (where actor_kind = 'unknown') as unknown_at
    from acts
    group by item_id
),

observed as (
    select repository, last_seen_at
    from {{ ref('int_repository__observed') }}
),

vanished as (
    select item_id, last_seen_at
    from {{ ref('int_issue__vanished') }}
),

judged as (
    select
        issues.item_id,
        issues.created_at,
        records.has_known_comments as is_known,
        case
            when first_acts.unknown_at is null or first_acts.responded_at <= first_acts.unknown_at
                then first_acts.responded_at
        end as responded_at,
        first_acts.response,
        first_acts.bot_responded_at,
        greatest(
            issues.created_at, least(observed.last_seen_at, vanished.last_seen_at, first_acts.unknown_at)
        ) as unanswered_until,
        observed.last_seen_at
    from issues
    inner join records on issues.item_id = records.item_id
    inner join observed on issues.repository = observed.repository
    left join vanished on issues.item_id = vanished.item_id
    left join first_acts on issues.item_id = first_acts.item_id
)

select
    item_id,
    case when is_known and responded_at is not null then response end as response,
    is_known,
    created_at,
    case when is_known then responded_at end as responded_at,
    case when is_known then responded_at end as known_at,
    case when is_known then bot_responded_at end as bot_responded_at,
    case
        when not is_known then created_at
        when responded_at is not null then last_seen_at
        else unanswered_until
    end as observed_until
from judged
