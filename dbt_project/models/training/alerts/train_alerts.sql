-- What the harness learns from: one row per alert, with everything that was known of it at T and nothing else.
with observations as (
    select *
    from {{ ref('int_alert__observation') }}
),

rules as (
    select *
    from {{ ref('feat_alert_rule') }}
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
),

clusters as (
    select *
    from {{ ref('feat_alert_cluster') }}
),

accounts as (
    select *
    from {{ ref('stg_alerts__account') }}
)

select
    observations.item_id,
    observations.event_at,
    observations.address as entity_id,
    observations.batch_id as group_id,
    rules.severity_rank,
    rules.rule_confidence,
    rules.volume_log,
    rules.n_indicators,
    rules.n_rules_same_address,
    rules.typology,
    rules.volume_pct_in_network,
    rules.confidence_pct_in_batch,
    histories.n_prior_alerts,
    histories.days_since_prior_alert,
    histories.n_prior_labelled,
    histories.n_prior_reported,
    histories.prior_reported_rate,
    histories.days_since_reported,
    histories.days_since_dismissed,
    histories.is_new_address,
    windows.total_in_usd,
    windows.tx_in_count,
    windows.avg_tx_in_usd,
    windows.median_tx_in_usd,
    windows.degree_in,
    windows.total_out_usd,
    windows.tx_out_count,
    windows.avg_tx_out_usd,
    windows.median_tx_out_usd,
    windows.degree_out,
    windows.external_in_usd,
    windows.external_out_usd,
    windows.cash_usd,
    windows.degree_total,
    windows.total_volume_usd,
    windows.net_flow_usd,
    windows.tx_total_count,
    windows.max_tx_usd,
    windows.min_tx_usd,
    windows.unique_counterparties,
    windows.amount_variance,
    windows.amount_skewness,
    windows.activity_days,
    windows.activity_span_days,
    windows.structuring_score,
    windows.counterparty_concentration,
    windows.burst_factor,
    windows.reciprocity_ratio,
    windows.velocity_score,
    windows.days_since_first_activity,
    graphs.pagerank,
    graphs.clustering_coefficient,
    graphs.kcore,
    graphs.n_neighbours,
    graphs.n_alerted_neighbours,
    graphs.volume_share_with_alerted,
    graphs.n_reported_neighbours,
    graphs.n_recently_reported_neighbours,
    graphs.volume_share_with_reported,
    graphs.days_since_neighbour_reported,
    graphs.n_shared_neighbours,
    graphs.mean_alerted_links_of_neighbours,
    graphs.max_alerted_links_of_neighbours,
    graphs.max_neighbour_reciprocity,
    graphs.mean_neighbour_reciprocity,
    graphs.sum_neighbour_reciprocity,
    graphs.max_neighbour_kcore,
    graphs.share_one_off_neighbours,
    graphs.n_second_neighbours,
    graphs.n_reported_second_neighbours,
    clusters.cluster_n_alerts,
    clusters.cluster_volume_log,
    clusters.cluster_rule_confidence,
    clusters.cluster_span_hours,
    clusters.is_primary_of_cluster,
    observations.network as slice_network,
    coalesce(accounts.region, '(unknown)') as slice_region,
    coalesce(accounts.age_band, '(unknown)') as slice_age_band,
    rules.typology as slice_typology,
    case when histories.is_new_address then 'new' else 'known' end as slice_new_address
from observations
inner join rules on observations.item_id = rules.item_id and observations.event_at = rules.event_at
inner join histories on observations.item_id = histories.item_id and observations.event_at = histories.event_at
inner join windows on observations.item_id = windows.item_id and observations.event_at = windows.event_at
inner join graphs on observations.item_id = graphs.item_id and observations.event_at = graphs.event_at
inner join clusters on observations.item_id = clusters.item_id and observations.event_at = clusters.event_at
left join accounts on observations.network = accounts.network and observations.address = accounts.address
