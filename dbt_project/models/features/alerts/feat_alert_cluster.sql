-- The cluster that the alert belongs to; an alert without one is a cluster of its own.
with observations as (
    select item_id, event_at, batch_id
    from {{ ref('int_alert__observation') }}
),

clusters as (
    select *
    from {{ ref('int_alert__cluster') }}
)

select
    observations.item_id,
    observations.event_at,
    coalesce(clusters.n_alerts, 1) as cluster_n_alerts,
    ln(1 + clusters.volume_usd) as cluster_volume_log,
    clusters.rule_confidence as cluster_rule_confidence,
    clusters.span_hours as cluster_span_hours,
    coalesce(clusters.is_primary, false) as is_primary_of_cluster
from observations
left join clusters on observations.batch_id = clusters.batch_id and observations.item_id = clusters.item_id
