-- The person and this issue: is it their own, are they named in it, and did they handle others of its author and
-- its topic. Shares are among the candidates.
with candidates as (
    select
        item_id,
        question_id,
        repository,
        login,
        author_login,
        topic,
        is_author,
        is_mentioned,
        event_at as asked_at,
        day::timestamp as event_at
    from {{ ref('int_assignment__candidate') }}
),

author as (
    {{ as_of_join(
        spine='candidates',
        history=ref('int_person__author_history'),
        key=['repository', 'author_login', 'login'],
        features=['handled'],
        ttl=feature_ttl()
    ) | indent(4) }}
),

with_topic as (
    select item_id, repository, topic, login, event_at
    from candidates
    where topic is not null
),

topic as (
    {{ as_of_join(
        spine='with_topic',
        history=ref('int_person__topic_history'),
        key=['repository', 'topic', 'login'],
        features=['handled', 'median_log_hours'],
        ttl=feature_ttl()
    ) | indent(4) }}
)

select
    candidates.item_id,
    candidates.asked_at as event_at,
    candidates.is_author,
    candidates.is_mentioned,
    coalesce(author.handled, 0) as author_handled,
    author.handled / nullif(sum(author.handled) over (partition by candidates.question_id), 0)
        as author_handled_share,
    coalesce(topic.handled, 0) as topic_handled,
    topic.handled / nullif(sum(topic.handled) over (partition by candidates.question_id), 0)
        as topic_handled_share,
    topic.median_log_hours as topic_median_log_hours,
    greatest(author.event_timestamp, topic.event_timestamp) as event_timestamp,
    greatest(author.available_at, topic.available_at) as available_at
from candidates
inner join author on candidates.item_id = author.item_id
left join topic on candidates.item_id = topic.item_id
