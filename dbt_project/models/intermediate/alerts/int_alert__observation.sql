-- The alerts and the time T at which they are scored: midnight of the processing date, when the window is over.
select
    alert_id as item_id,
    processing_date::timestamp as event_at,
    batch_id,
    network,
    address
from {{ ref('stg_alerts__alert') }}
