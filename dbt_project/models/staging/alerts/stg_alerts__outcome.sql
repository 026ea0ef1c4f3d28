-- What the investigators found; known only from labelled_at on.
with source as (
    select *
    from {{ source('raw_alerts', 'alert_ground_truth') }}
)

select
    alert_id,
    batch_id,
    processing_date,
    ground_truth = 1 as is_reported,
    labelled_at
from source
