-- The cluster of an alert. Where an alert is in several, the largest counts, so that a join never doubles it.
with members as (
    select
        {{ each('alert_ids') }} as item_id,
        *
    from {{ ref('stg_alerts__cluster') }}
)

select
    item_id,
    batch_id,
    cluster_id,
    n_alerts,
    volume_usd,
    rule_confidence,
    span_hours,
    primary_alert_id = item_id as is_primary
from members
qualify row_number() over (partition by batch_id, item_id order by n_alerts desc, cluster_id asc) = 1
