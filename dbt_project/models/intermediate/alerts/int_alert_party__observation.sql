-- Every address that a batch shows, alerted or not, at the batch's T.
with parties as (
    select batch_id, event_at, network, address
    from {{ ref('int_alert__observation') }}
    union
    select batch_id, event_at, network, address
    from {{ ref('int_alert_party__link') }}
)

select
    batch_id || '|' || network || '|' || address as item_id,
    batch_id,
    event_at,
    network,
    address
from parties
