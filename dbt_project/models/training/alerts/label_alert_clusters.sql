-- Whether any alert of a cluster was reported. Known when the last of its alerts is decided, whatever the
-- outcome: if a report made a cluster known earlier, the clusters known at a cut would be the reported ones.
with clusters as (
    select cluster_id, severity_rank, {{ each('alert_ids') }} as alert_id
    from {{ ref('stg_alerts__cluster') }}
),

labels as (
    select *
    from {{ ref('label_alerts') }}
),

decided as (
    select
        clusters.cluster_id,
        clusters.severity_rank,
        bool_or(labels.is_censored) as is_censored,
        case when not bool_or(labels.is_censored) then max(labels.y) = 1 end as is_reported,
        max(labels.observed_until) as observed_until,
        case when not bool_or(labels.is_censored) then max(labels.labelled_at) end as labelled_at
    from clusters
    inner join labels on clusters.alert_id = labels.item_id
    group by clusters.cluster_id, clusters.severity_rank
)

select
    cluster_id as item_id,
    is_reported::integer::double as y,
    is_censored,
    observed_until,
    {{ graded_relevance('is_reported', 'severity_rank') }} as relevance,
    1.0::double as weight,
    labelled_at
from decided
