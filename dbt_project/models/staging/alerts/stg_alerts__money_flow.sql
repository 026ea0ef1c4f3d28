with source as (
    select *
    from {{ source('raw_alerts', 'alert_money_flows') }}
)

select
    batch_id,
    network,
    from_address,
    to_address,
    processing_date,
    tx_count::integer as n_payments,
    amount_usd_sum as volume_usd,
    first_seen_timestamp as first_seen_at,
    last_seen_timestamp as last_seen_at
from source
