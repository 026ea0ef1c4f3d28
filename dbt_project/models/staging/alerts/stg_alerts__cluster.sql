with source as (
    select *
    from {{ source('raw_alerts', 'alert_clusters') }}
)

select
    cluster_id,
    batch_id,
    processing_date,
    network,
    primary_address,
    primary_alert_id,
    cluster_type,
    array_distinct(related_alert_ids) as alert_ids,
    total_alerts::integer as n_alerts,
    cardinality(array_distinct(addresses_involved))::integer as n_addresses,
    total_volume_usd as volume_usd,
    severity_max as severity,
    {{ severity_rank('severity_max') }} as severity_rank,
    confidence_avg as rule_confidence,
    (latest_alert_timestamp - earliest_alert_timestamp) / 3600000 as span_hours
from source
