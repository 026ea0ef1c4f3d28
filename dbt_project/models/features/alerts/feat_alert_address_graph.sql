-- The address among the others of the window: its place in the whole graph from the features file, its
-- neighbourhood from the money flows, and how many of its neighbours were known as reported before T.
with observations as (
    select *
    from {{ ref('int_alert__observation') }}
),

windows as (
    select *
    from {{ ref('stg_alerts__address_window') }}
),

neighbourhoods as (
    select *
    from {{ ref('int_alerted_address__neighbourhood') }}
),

second_neighbours as (
    select *
    from {{ ref('int_alert_party__shared') }}
)

select
    observations.item_id,
    observations.event_at,
    windows.pagerank,
    windows.clustering_coefficient,
    windows.kcore,
    coalesce(neighbourhoods.n_neighbours, 0) as n_neighbours,
    coalesce(neighbourhoods.n_alerted_neighbours, 0) as n_alerted_neighbours,
    neighbourhoods.volume_share_with_alerted,
    coalesce(neighbourhoods.n_reported_neighbours, 0) as n_reported_neighbours,
    coalesce(neighbourhoods.n_recently_reported_neighbours, 0) as n_recently_reported_neighbours,
    neighbourhoods.volume_share_with_reported,
    neighbourhoods.days_since_neighbour_reported,
    coalesce(neighbourhoods.n_shared_neighbours, 0) as n_shared_neighbours,
    neighbourhoods.mean_alerted_links_of_neighbours,
    neighbourhoods.max_alerted_links_of_neighbours,
    neighbourhoods.max_neighbour_reciprocity,
    neighbourhoods.mean_neighbour_reciprocity,
    neighbourhoods.sum_neighbour_reciprocity,
    neighbourhoods.max_neighbour_kcore,
    neighbourhoods.share_one_off_neighbours,
    coalesce(second_neighbours.n_second_neighbours, 0) as n_second_neighbours,
    coalesce(second_neighbours.n_reported_second_neighbours, 0) as n_reported_second_neighbours
from observations
left join windows
    on
        observations.batch_id = windows.batch_id
        and observations.network = windows.network
        and observations.address = windows.address
left join neighbourhoods
    on
        observations.batch_id = neighbourhoods.batch_id
        and observations.network = neighbourhoods.network
        and observations.address = neighbourhoods.address
left join second_neighbours
    on
        observations.batch_id = second_neighbours.batch_id
        and observations.network = second_neighbours.network
        and observations.address = second_neighbours.address
