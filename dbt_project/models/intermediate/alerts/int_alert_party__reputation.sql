-- What was known about each address at T: labels of earlier batches that arrived before T, never later ones.
with observations as (
    select item_id, batch_id, event_at, network, address
    from {{ ref('int_alert_party__observation') }}
),

known as (
    {{ as_of_join(
        spine='observations',
        history=ref('int_address__outcome_history'),
        key=['network', 'address'],
        features=['n_labelled', 'n_reported', 'last_reported_on', 'last_dismissed_on'],
        ttl='3650 days'
    ) | indent(4) }}
)

select
    observations.batch_id,
    observations.network,
    observations.address,
    observations.event_at,
    coalesce(known.n_labelled, 0)::integer as n_labelled,
    coalesce(known.n_reported, 0)::integer as n_reported,
    known.n_reported / known.n_labelled as reported_rate,
    {{ days_between('known.last_reported_on', 'observations.event_at') }} as days_since_reported,
    {{ days_between('known.last_dismissed_on', 'observations.event_at') }} as days_since_dismissed,
    known.event_timestamp,
    known.available_at
from observations
inner join known on observations.item_id = known.item_id
