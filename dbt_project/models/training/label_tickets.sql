-- What the harness learns and is measured by: one row per issue in scope.
with resolutions as (
    select *
    from {{ ref('int_issue__resolution') }}
),

tickets as (
    select distinct item_id
    from {{ ref('train_tickets') }}
)

select
    resolutions.item_id,
    resolutions.resolution_hours as y,
    resolutions.is_censored,
    resolutions.observed_until,
    null::integer as relevance,
    1.0::double as weight,
    resolutions.labelled_at,
    resolutions.business_hours
from resolutions
inner join tickets on resolutions.item_id = tickets.item_id
