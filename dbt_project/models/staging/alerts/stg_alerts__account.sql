-- Who holds an address: slices of the bias report, never features.
with source as (
    select *
    from {{ source('raw_alerts', 'alert_accounts') }}
)

select
    network,
    address,
    region,
    age_band
from source
