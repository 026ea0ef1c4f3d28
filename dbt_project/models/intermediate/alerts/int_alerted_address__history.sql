-- The alerts of an address of a network in strictly earlier batches. Batches of one day with windows of different
-- length do not know of each other.
with days as (
    select network, address, event_at, count(*) as n_alerts
    from {{ ref('int_alert__observation') }}
    group by network, address, event_at
)

select
    network,
    address,
    event_at,
    coalesce(sum(n_alerts) over earlier, 0)::integer as n_prior_alerts,
    {{ days_between('max(event_at) over earlier', 'event_at') }} as days_since_prior_alert
from days
window earlier as (partition by network, address order by event_at rows between unbounded preceding and 1 preceding)
