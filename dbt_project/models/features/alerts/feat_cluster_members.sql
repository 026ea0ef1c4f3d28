-- The alerts of a cluster, taken together: features of its members as known at T, never what came of them.
with members as (
    select
        cluster_id as item_id,
        processing_date::timestamp as event_at,
        {{ each('alert_ids') }} as alert_id
    from {{ ref('stg_alerts__cluster') }}
),

histories as (
    select *
    from {{ ref('feat_alert_address_history') }}
),

windows as (
    select *
    from {{ ref('feat_alert_address_window') }}
),

graphs as (
    select *
    from {{ ref('feat_alert_address_graph') }}
)

select
    members.item_id,
    members.event_at,
    avg(histories.n_prior_alerts) as mean_prior_alerts,
    sum(histories.n_prior_reported)::integer as n_prior_reported,
    {{ exact_mean('histories.prior_reported_rate') }} as mean_prior_reported_rate,
    min(histories.days_since_reported) as days_since_reported,
    avg(histories.is_new_address::integer) as share_new_addresses,
    {{ exact_mean('windows.reciprocity_ratio') }} as mean_reciprocity_ratio,
    max(windows.reciprocity_ratio) as max_reciprocity_ratio,
    {{ exact_mean('windows.burst_factor') }} as mean_burst_factor,
    max(windows.burst_factor) as max_burst_factor,
    {{ exact_mean('windows.counterparty_concentration') }} as mean_counterparty_concentration,
    {{ exact_mean('windows.days_since_first_activity') }} as mean_days_since_first_activity,
    {{ exact_mean('windows.total_volume_usd') }} as mean_window_volume_usd,
    avg(graphs.kcore) as mean_kcore,
    max(graphs.kcore) as max_kcore,
    max(graphs.pagerank) as max_pagerank,
    avg(graphs.n_shared_neighbours) as mean_shared_neighbours,
    max(graphs.n_shared_neighbours) as max_shared_neighbours,
    max(graphs.n_reported_neighbours) as max_reported_neighbours,
    avg(graphs.n_reported_neighbours) as mean_reported_neighbours,
    min(graphs.days_since_neighbour_reported) as days_since_neighbour_reported,
    {{ exact_mean('graphs.mean_alerted_links_of_neighbours') }} as mean_alerted_links_of_neighbours,
    {{ exact_mean('graphs.sum_neighbour_reciprocity') }} as mean_sum_neighbour_reciprocity
from members
inner join histories on members.alert_id = histories.item_id
inner join windows on members.alert_id = windows.item_id
inner join graphs on members.alert_id = graphs.item_id
group by members.item_id, members.event_at
