-- Who dealt with whom in a batch's window, seen from both sides; payments in both directions are one link.
-- A party is an address of a network: the same text on another network is somebody else. A flow names the payer's
-- network. The payee is on it too, unless the accounts, where they cover that network, know the payee on another
-- one alone: banks pay each other, chains do not.
with flows as (
    select *
    from {{ ref('stg_alerts__money_flow') }}
    where from_address <> to_address
),

accounts as (
    select network, address
    from {{ ref('stg_alerts__account') }}
),

only_homes as (
    select address, any_value(network) as network
    from accounts
    group by address
    having count(*) = 1
),

payments as (
    select
        flows.batch_id,
        flows.processing_date,
        flows.network as from_network,
        flows.from_address,
        case
            when flows.network in (select accounts.network from accounts)
                then coalesce(only_homes.network, flows.network)
            else flows.network
        end as to_network,
        flows.to_address,
        flows.n_payments,
        flows.volume_usd
    from flows
    left join only_homes on flows.to_address = only_homes.address
),

sides as (
    select
        batch_id,
        processing_date,
        from_network as network,
        from_address as address,
        to_network as counterparty_network,
        to_address as counterparty,
        n_payments,
        volume_usd
    from payments
    union all
    select
        batch_id,
        processing_date,
        to_network as network,
        to_address as address,
        from_network as counterparty_network,
        from_address as counterparty,
        n_payments,
        volume_usd
    from payments
)

select
    batch_id,
    network,
    address,
    counterparty_network,
    counterparty,
    any_value(processing_date)::timestamp as event_at,
    sum(n_payments)::integer as n_payments,
    {{ exact_sum('volume_usd') }}::double as volume_usd
from sides
group by batch_id, network, address, counterparty_network, counterparty
