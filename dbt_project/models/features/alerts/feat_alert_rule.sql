-- What the rules said, and how that compares within the batch: thresholds of rules differ between networks.
with alerts as (
    select *
    from {{ ref('stg_alerts__alert') }}
),

observations as (
    select item_id, event_at
    from {{ ref('int_alert__observation') }}
)

select
    observations.item_id,
    observations.event_at,
    alerts.severity_rank,
    alerts.rule_confidence,
    ln(1 + alerts.volume_usd) as volume_log,
    alerts.n_indicators,
    (count(*) over (partition by alerts.batch_id, alerts.network, alerts.address))::integer as n_rules_same_address,
    alerts.typology,
    percent_rank() over (partition by alerts.batch_id, alerts.network order by alerts.volume_usd)
        as volume_pct_in_network,
    percent_rank() over (partition by alerts.batch_id order by alerts.rule_confidence) as confidence_pct_in_batch
from observations
inner join alerts on observations.item_id = alerts.alert_id
