-- How earlier issues whose title starts with the same prefix went, as known before T.
{% set features = ['issues_opened', 'issues_resolved', 'mean_log_hours', 'share_resolved_7d'] %}

with observations as (
    select observed.item_id, observed.event_at, observed.repository, topics.topic
    from {{ ref('int_issue__observation') }} as observed
    left join {{ ref('int_issue__topic') }} as topics on observed.item_id = topics.item_id
),

known as (
    {{ as_of_join(
        spine='observations',
        history=ref('int_topic__history'),
        key=['repository', 'topic'],
        features=features,
        ttl=feature_ttl(),
        in_order=true
    ) | indent(4) }}
)

select
    observations.item_id,
    observations.event_at,
    observations.topic is not null as has_topic,
    coalesce(known.issues_opened, 0) as topic_issues_opened,
    coalesce(known.issues_resolved, 0) as topic_issues_resolved,
    known.mean_log_hours as topic_mean_log_hours,
    known.share_resolved_7d as topic_share_resolved_7d,
    known.event_timestamp,
    known.available_at
from observations
inner join known on observations.item_id = known.item_id and observations.event_at = known.event_at
