-- What is predicted: whether an alert was reported. An alert without a label yet is censored, not dismissed.
with alerts as (
    select alert_id, processing_date, severity_rank
    from {{ ref('stg_alerts__alert') }}
),

outcomes as (
    select *
    from {{ ref('stg_alerts__outcome') }}
),

newest as (
    select greatest(max(alerts.processing_date)::timestamp, max(outcomes.labelled_at)) as seen_at
    from alerts
    left join outcomes on alerts.alert_id = outcomes.alert_id
)

select
    alerts.alert_id as item_id,
    outcomes.is_reported::integer::double as y,
    outcomes.is_reported is null as is_censored,
    coalesce(outcomes.labelled_at, newest.seen_at) as observed_until,
    {{ graded_relevance('outcomes.is_reported', 'alerts.severity_rank') }} as relevance,
    1.0::double as weight,
    outcomes.labelled_at
from alerts
cross join newest
left join outcomes on alerts.alert_id = outcomes.alert_id
