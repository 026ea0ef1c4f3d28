-- Who an alerted address dealt with in the window: alerted or not, how connected, and what was known of them.
with links as (
    select *
    from {{ ref('int_alert_party__link') }}
),

alerted as (
    select distinct batch_id, network, address
    from {{ ref('int_alert__observation') }}
),

reputations as (
    select *
    from {{ ref('int_alert_party__reputation') }}
),

windows as (
    select batch_id, network, address, reciprocity_ratio, kcore
    from {{ ref('stg_alerts__address_window') }}
),

-- How many alerted addresses each address deals with.
alerted_links as (
    select
        links.batch_id,
        links.counterparty_network as network,
        links.counterparty as address,
        count(*) as n_alerted
    from links
    inner join alerted
        on
            links.batch_id = alerted.batch_id
            and links.network = alerted.network
            and links.address = alerted.address
    group by links.batch_id, links.counterparty_network, links.counterparty
),

known_links as (
    select
        links.batch_id,
        links.network,
        links.address,
        links.n_payments,
        links.volume_usd,
        neighbour.address is not null as is_alerted,
        alerted_links.n_alerted,
        reputations.n_reported > 0 as is_reported,
        reputations.days_since_reported,
        windows.reciprocity_ratio,
        windows.kcore
    from links
    inner join alerted
        on
            links.batch_id = alerted.batch_id
            and links.network = alerted.network
            and links.address = alerted.address
    inner join alerted_links
        on
            links.batch_id = alerted_links.batch_id
            and links.counterparty_network = alerted_links.network
            and links.counterparty = alerted_links.address
    inner join reputations
        on
            links.batch_id = reputations.batch_id
            and links.counterparty_network = reputations.network
            and links.counterparty = reputations.address
    left join alerted as neighbour
        on
            links.batch_id = neighbour.batch_id
            and links.counterparty_network = neighbour.network
            and links.counterparty = neighbour.address
    left join windows
        on
            links.batch_id = windows.batch_id
            and links.counterparty_network = windows.network
            and links.counterparty = windows.address
)

select
    batch_id,
    network,
    address,
    count(*)::integer as n_neighbours,
    count(*) filter (where is_alerted)::integer as n_alerted_neighbours,
    coalesce({{ exact_sum('volume_usd') }} filter (where is_alerted), 0)::double
    / nullif({{ exact_sum('volume_usd') }}, 0)::double as volume_share_with_alerted,
    count(*) filter (where is_reported)::integer as n_reported_neighbours,
    count(*) filter (where days_since_reported <= 35)::integer as n_recently_reported_neighbours,
    coalesce({{ exact_sum('volume_usd') }} filter (where is_reported), 0)::double
    / nullif({{ exact_sum('volume_usd') }}, 0)::double as volume_share_with_reported,
    min(days_since_reported) as days_since_neighbour_reported,
    count(*) filter (where n_alerted > 1)::integer as n_shared_neighbours,
    avg(n_alerted) as mean_alerted_links_of_neighbours,
    max(n_alerted)::integer as max_alerted_links_of_neighbours,
    max(reciprocity_ratio) as max_neighbour_reciprocity,
    {{ exact_mean('reciprocity_ratio') }} as mean_neighbour_reciprocity,
    {{ exact_sum('reciprocity_ratio') }}::double as sum_neighbour_reciprocity,
    max(kcore) as max_neighbour_kcore,
    count(*) filter (where n_payments = 1) / count(*) as share_one_off_neighbours
from known_links
group by batch_id, network, address
