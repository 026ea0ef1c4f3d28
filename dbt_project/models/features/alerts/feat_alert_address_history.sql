-- What was known about the address before T: alerts of strictly earlier batches, labels that had arrived.
with observations as (
    select *
    from {{ ref('int_alert__observation') }}
),

alerted as (
    select *
    from {{ ref('int_alerted_address__history') }}
),

reputations as (
    select *
    from {{ ref('int_alert_party__reputation') }}
)

select
    observations.item_id,
    observations.event_at,
    alerted.n_prior_alerts,
    alerted.days_since_prior_alert,
    reputations.n_labelled as n_prior_labelled,
    reputations.n_reported as n_prior_reported,
    reputations.reported_rate as prior_reported_rate,
    reputations.days_since_reported,
    reputations.days_since_dismissed,
    alerted.n_prior_alerts = 0 as is_new_address,
    reputations.event_timestamp,
    reputations.available_at
from observations
inner join alerted
    on
        observations.network = alerted.network
        and observations.address = alerted.address
        and observations.event_at = alerted.event_at
inner join reputations
    on
        observations.batch_id = reputations.batch_id
        and observations.network = reputations.network
        and observations.address = reputations.address
