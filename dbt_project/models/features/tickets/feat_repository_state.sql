-- The repository as it stood at the end of the UTC day before T.
{% set features = [
    'open_backlog', 'opened_7d', 'closed_7d', 'opened_30d', 'closed_30d', 'opened_90d', 'closed_90d',
    'median_log_hours_90d', 'p90_log_hours_90d',
    'share_resolved_1d', 'share_resolved_7d', 'share_resolved_30d', 'share_resolved_90d', 'share_resolved_365d',
    'active_people_30d', 'age_days'
] %}

with observations as (
    select item_id, event_at, repository
    from {{ ref('int_issue__observation') }}
),

known as (
    {{ as_of_join(
        spine='observations',
        history=ref('int_repository__daily_state'),
        key=['repository'],
        features=features,
        ttl=feature_ttl(),
        in_order=true
    ) | indent(4) }}
)

select
    observations.item_id,
    observations.event_at,
    observations.repository,
    {%- for feature in features %}
    known.{{ feature }} as repository_{{ feature }},
    {%- endfor %}
    known.event_timestamp,
    known.available_at
from observations
inner join known on observations.item_id = known.item_id and observations.event_at = known.event_at
