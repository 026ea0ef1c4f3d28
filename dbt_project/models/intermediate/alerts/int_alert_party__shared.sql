-- Addresses at two steps: those that deal with a counterparty of an alerted address.
with links as (
    select batch_id, network, address, counterparty_network, counterparty
    from {{ ref('int_alert_party__link') }}
),

alerted as (
    select distinct batch_id, network, address
    from {{ ref('int_alert__observation') }}
),

reputations as (
    select batch_id, network, address, n_reported
    from {{ ref('int_alert_party__reputation') }}
),

second_steps as (
    select distinct
        first_steps.batch_id,
        first_steps.network,
        first_steps.address,
        second_steps.counterparty_network,
        second_steps.counterparty
    from alerted
    inner join links as first_steps
        on
            alerted.batch_id = first_steps.batch_id
            and alerted.network = first_steps.network
            and alerted.address = first_steps.address
    inner join links as second_steps
        on
            first_steps.batch_id = second_steps.batch_id
            and first_steps.counterparty_network = second_steps.network
            and first_steps.counterparty = second_steps.address
            and (first_steps.network, first_steps.address)
            <> (second_steps.counterparty_network, second_steps.counterparty)
)

select
    second_steps.batch_id,
    second_steps.network,
    second_steps.address,
    count(*)::integer as n_second_neighbours,
    count(*) filter (where reputations.n_reported > 0)::integer as n_reported_second_neighbours
from second_steps
inner join reputations
    on
        second_steps.batch_id = reputations.batch_id
        and second_steps.counterparty_network = reputations.network
        and second_steps.counterparty = reputations.address
group by second_steps.batch_id, second_steps.network, second_steps.address
