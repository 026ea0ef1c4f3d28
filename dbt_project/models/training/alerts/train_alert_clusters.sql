-- What the harness learns from about clusters: one row per cluster, with what was known of its alerts at T.
with observations as (
    select *
    from {{ ref('stg_alerts__cluster') }}
),

rules as (
    select *
    from {{ ref('feat_cluster_rule') }}
),

members as (
    select *
    from {{ ref('feat_cluster_members') }}
),

alerts as (
    select *
    from {{ ref('train_alerts') }}
),

accounts as (
    select *
    from {{ ref('stg_alerts__account') }}
)

select
    observations.cluster_id as item_id,
    rules.event_at,
    observations.primary_address as entity_id,
    observations.batch_id as group_id,
    rules.cluster_type,
    rules.n_alerts,
    rules.n_addresses,
    rules.volume_log,
    rules.severity_rank,
    rules.rule_confidence,
    rules.span_hours,
    members.mean_prior_alerts,
    members.n_prior_reported,
    members.mean_prior_reported_rate,
    members.days_since_reported,
    members.share_new_addresses,
    members.mean_reciprocity_ratio,
    members.max_reciprocity_ratio,
    members.mean_burst_factor,
    members.max_burst_factor,
    members.mean_counterparty_concentration,
    members.mean_days_since_first_activity,
    members.mean_window_volume_usd,
    members.mean_kcore,
    members.max_kcore,
    members.max_pagerank,
    members.mean_shared_neighbours,
    members.max_shared_neighbours,
    members.max_reported_neighbours,
    members.mean_reported_neighbours,
    members.days_since_neighbour_reported,
    members.mean_alerted_links_of_neighbours,
    members.mean_sum_neighbour_reciprocity,
    observations.network as slice_network,
    coalesce(accounts.region, '(unknown)') as slice_region,
    coalesce(accounts.age_band, '(unknown)') as slice_age_band,
    coalesce(alerts.slice_typology, '(unknown)') as slice_typology,
    coalesce(alerts.slice_new_address, '(unknown)') as slice_new_address
from observations
inner join rules on observations.cluster_id = rules.item_id
inner join members on observations.cluster_id = members.item_id
left join alerts on observations.primary_alert_id = alerts.item_id
left join accounts
    on observations.network = accounts.network and observations.primary_address = accounts.address
