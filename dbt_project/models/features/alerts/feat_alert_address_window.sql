-- The address in the window before T, as the batch's features file gives it. Joined on batch, network and address:
-- on the address alone, its rows of other batches would multiply the alerts.
with observations as (
    select *
    from {{ ref('int_alert__observation') }}
),

windows as (
    select *
    from {{ ref('stg_alerts__address_window') }}
)

select
    observations.item_id,
    observations.event_at,
    windows.total_in_usd,
    windows.tx_in_count,
    windows.avg_tx_in_usd,
    windows.median_tx_in_usd,
    windows.degree_in,
    windows.total_out_usd,
    windows.tx_out_count,
    windows.avg_tx_out_usd,
    windows.median_tx_out_usd,
    windows.degree_out,
    windows.external_in_usd,
    windows.external_out_usd,
    windows.cash_usd,
    windows.degree_total,
    windows.total_volume_usd,
    windows.net_flow_usd,
    windows.tx_total_count,
    windows.max_tx_usd,
    windows.min_tx_usd,
    windows.unique_counterparties,
    windows.amount_variance,
    windows.amount_skewness,
    windows.activity_days,
    windows.activity_span_days,
    windows.structuring_score,
    windows.counterparty_concentration,
    windows.burst_factor,
    windows.reciprocity_ratio,
    windows.velocity_score,
    windows.days_since_first_activity
from observations
left join windows
    on
        observations.batch_id = windows.batch_id
        and observations.network = windows.network
        and observations.address = windows.address
