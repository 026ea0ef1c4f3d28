-- What the rules said about a cluster.
select
    cluster_id as item_id,
    processing_date::timestamp as event_at,
    cluster_type,
    n_alerts,
    n_addresses,
    ln(1 + volume_usd) as volume_log,
    severity_rank,
    rule_confidence,
    span_hours
from {{ ref('stg_alerts__cluster') }}
