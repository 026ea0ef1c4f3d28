-- What had happened in the issue before T. Where the record holds no comments at all nobody knows how many there were.
{% set history = [
    'comments_author', 'comments_member', 'comments_other', 'comments_bot', 'people', 'reopenings', 'labels',
    'has_milestone', 'was_called_severe', 'pull_requests', 'open_pull_requests', 'last_comment_at', 'last_author_comment_at',
    'last_answer_at', 'last_pull_request_at', 'last_event_at'
] %}

with observations as (
    select item_id, event_at, created_at, age_days
    from {{ ref('int_issue__observation') }}
),

records as (
    select item_id, has_known_comments as has_comments
    from {{ ref('stg_github__issue') }}
),

known as (
    {{ as_of_join(
        spine='observations',
        history=ref('int_issue__history'),
        key=['item_id'],
        features=history,
        ttl=feature_ttl()
    ) | indent(4) }}
)

select
    observations.item_id,
    observations.event_at,
    observations.age_days,
    case when records.has_comments then coalesce(known.comments_author, 0) end::integer as n_comments_author,
    case when records.has_comments then coalesce(known.comments_member, 0) end::integer as n_comments_member,
    case when records.has_comments then coalesce(known.comments_other, 0) end::integer as n_comments_other,
    case when records.has_comments then coalesce(known.comments_bot, 0) end::integer as n_comments_bot,
    case when records.has_comments then coalesce(known.people, 0) end::integer as n_people,
    case when records.has_comments then coalesce(known.last_comment_at = known.last_answer_at, false) end
        as is_answered_last,
    case
        when not records.has_comments or known.last_comment_at = known.last_answer_at then null
        else
            {{ days_between(
                'coalesce(known.last_author_comment_at, observations.created_at)', 'observations.event_at'
            ) }}
    end as waiting_days,
    case
        when records.has_comments
            then {{ days_between('coalesce(known.last_comment_at, observations.created_at)', 'observations.event_at') }}
    end as days_since_comment,
    case
        when records.has_comments
            then {{ days_between('coalesce(known.last_answer_at, observations.created_at)', 'observations.event_at') }}
    end as days_since_answer,
    case
        when records.has_comments
            then {{ days_between('coalesce(known.last_event_at, observations.created_at)', 'observations.event_at') }}
    end as days_since_event,
    {{ days_between('known.last_pull_request_at', 'observations.event_at') }} as days_since_pull_request,
    coalesce(known.pull_requests, 0)::integer as n_pull_requests,
    coalesce(known.open_pull_requests, 0)::integer as n_open_pull_requests,
    coalesce(known.reopenings, 0)::integer as n_reopenings,
    coalesce(known.labels, 0)::integer as n_labels,
    coalesce(known.has_milestone, false) as has_milestone,
    coalesce(known.was_called_severe, false) as was_called_severe,
    known.event_timestamp,
    known.available_at
from observations
inner join records on observations.item_id = records.item_id
inner join known on observations.item_id = known.item_id and observations.event_at = known.event_at
