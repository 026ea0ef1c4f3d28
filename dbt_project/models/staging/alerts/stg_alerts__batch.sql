with source as (
    select *
    from {{ source('raw_alerts', 'alert_batches') }}
)

select
    batch_id,
    processing_date,
    window_days,
    source,
    status,
    reason,
    loaded_at
from source
