-- How earlier issues were answered, as known before T: of the repository, of the hour of the day, of the author.
{% set features = [
    'opened', 'answered', 'mean_log_hours', 'share_answered_1d', 'share_answered_2d', 'share_answered_7d',
    'last_answered_at'
] %}

with observations as (
    select item_id, event_at, repository, author_login, hour(event_at) as hour
    from {{ ref('int_issue__observation') }}
    where age_days = 0
),

repository as (
    {{ as_of_join(
        spine='observations',
        history=ref('int_repository__response_history'),
        key=['repository'],
        features=features,
        ttl=feature_ttl(),
        in_order=true
    ) | indent(4) }}
),

recent as (
    {{ as_of_join(
        spine='observations',
        history=ref('int_repository__recent_response'),
        key=['repository'],
        features=features,
        ttl=feature_ttl(),
        in_order=true
    ) | indent(4) }}
),

hour as (
    {{ as_of_join(
        spine='observations',
        history=ref('int_hour__response_history'),
        key=['repository', 'hour'],
        features=features,
        ttl=feature_ttl(),
        in_order=true
    ) | indent(4) }}
),

author as (
    {{ as_of_join(
        spine='observations',
        history=ref('int_contributor__response_history'),
        key=['repository', 'author_login'],
        features=features,
        ttl=feature_ttl(),
        in_order=true
    ) | indent(4) }}
)

select
    observations.item_id,
    observations.event_at,
    coalesce(repository.answered, 0) as repository_answered,
    repository.mean_log_hours as repository_mean_log_response_hours,
    repository.share_answered_1d as repository_share_answered_1d,
    repository.share_answered_2d as repository_share_answered_2d,
    repository.share_answered_7d as repository_share_answered_7d,
    coalesce(recent.answered, 0) as recent_answered,
    recent.mean_log_hours as recent_mean_log_response_hours,
    recent.share_answered_1d as recent_share_answered_1d,
    recent.share_answered_2d as recent_share_answered_2d,
    recent.share_answered_7d as recent_share_answered_7d,
    coalesce(hour.answered, 0) as hour_answered,
    hour.mean_log_hours as hour_mean_log_response_hours,
    hour.share_answered_1d as hour_share_answered_1d,
    hour.share_answered_2d as hour_share_answered_2d,
    hour.share_answered_7d as hour_share_answered_7d,
    coalesce(author.answered, 0) as author_answered,
    author.mean_log_hours as author_mean_log_response_hours,
    author.share_answered_1d as author_share_answered_1d,
    author.share_answered_2d as author_share_answered_2d,
    author.share_answered_7d as author_share_answered_7d,
    coalesce(recent.opened, 0) as recent_opened,
    {{ hours_between('repository.last_answered_at', 'observations.event_at') }} as repository_hours_since_answer,
    repository.event_timestamp,
    repository.available_at
from observations
inner join repository on observations.item_id = repository.item_id and observations.event_at = repository.event_at
inner join recent on observations.item_id = recent.item_id and observations.event_at = recent.event_at
inner join hour on observations.item_id = hour.item_id and observations.event_at = hour.event_at
inner join author on observations.item_id = author.item_id and observations.event_at = author.event_at
