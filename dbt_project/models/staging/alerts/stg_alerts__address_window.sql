-- The ratios of night and weekend payments stay behind: the hour of a payment is noise in these data. So does
-- the anomaly score, whose making nobody documents.
with source as (
    select *
    from {{ source('raw_alerts', 'alert_features') }}
)

select
    batch_id,
    network,
    address,
    processing_date,
    total_in_usd,
    tx_in_count,
    avg_tx_in_usd,
    median_tx_in_usd,
    degree_in,
    total_out_usd,
    tx_out_count,
    avg_tx_out_usd,
    median_tx_out_usd,
    degree_out,
    external_in_usd,
    external_out_usd,
    cash_usd,
    degree_total,
    total_volume_usd,
    net_flow_usd,
    tx_total_count,
    max_tx_usd,
    min_tx_usd,
    unique_counterparties,
    amount_variance,
    amount_skewness,
    activity_days,
    activity_span_days,
    structuring_score,
    counterparty_concentration,
    burst_factor,
    reciprocity_ratio,
    velocity_score,
    pagerank,
    clustering_coefficient,
    kcore,
    days_since_first_activity
from source
