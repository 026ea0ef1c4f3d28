-- What was known about an address of a network after each of its labels: the alerts that investigators had decided
-- by then.
with outcomes as (
    select
        alerts.network,
        alerts.address,
        outcomes.alert_id,
        outcomes.processing_date,
        outcomes.is_reported,
        outcomes.labelled_at
    from {{ ref('stg_alerts__outcome') }} as outcomes
    inner join {{ ref('int_alert__observation') }} as alerts on outcomes.alert_id = alerts.item_id
)

select
    network,
    address,
    alert_id as id,
    -- Labels of the same instant are peers: each row counts them all, so it does not matter which one answers.
    count(*) over known as n_labelled,
    count(*) filter (where is_reported) over known as n_reported,
    max(processing_date) filter (where is_reported) over known as last_reported_on,
    max(processing_date) filter (where not is_reported) over known as last_dismissed_on,
    labelled_at as event_timestamp,
    labelled_at as available_at
from outcomes
window known as (partition by network, address order by labelled_at range unbounded preceding)
