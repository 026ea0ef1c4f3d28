-- How fast issues of each age were closed lately in the repository, as of the end of the UTC day before T.
{% set features = [] %}
{% for age in var('pace_ages_days') %}
{% for window in var('pace_windows_days') %}
{% do features.append('pace_' ~ age ~ 'd_' ~ window ~ 'd') %}
{% endfor %}
{% do features.append('pace_' ~ age ~ 'd_ever') %}
{% endfor %}

with observations as (
    select item_id, event_at, repository
    from {{ ref('int_issue__observation') }}
),

known as (
    {{ as_of_join(
        spine='observations',
        history=ref('int_repository__daily_pace'),
        key=['repository'],
        features=features,
        ttl=feature_ttl()
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
