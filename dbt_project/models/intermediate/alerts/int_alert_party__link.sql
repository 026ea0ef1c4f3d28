-- Who dealt with whom in a batch's window, seen from both sides; payments in both directions are one link.
with flows as (
    select *
    from {{ ref('stg_alerts__money_flow') }}
    where from_address <> to_address
),

sides as (
    select batch_id, processing_date, from_address as address, to_address as counterparty, n_payments, volume_usd
    from flows
    union all
    select batch_id, processing_date, to_address as address, from_address as counterparty, n_payments, volume_usd
    from flows
)

select
    batch_id,
    address,
    counterparty,
    any_value(processing_date)::timestamp as event_at,
    sum(n_payments)::integer as n_payments,
    {{ exact_sum('volume_usd') }}::double as volume_usd
from sides
group by batch_id, address, counterparty
