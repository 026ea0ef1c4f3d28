-- What the harness learns and is measured by: one row per issue in scope.
with resolutions as (
    select *
    from {{ ref('int_issue__resolution') }}
),

tickets as (
    select distinct item_id
    from {{ ref('train_tickets') }}
),

assignments as (
    select resolutions.item_id, kept.assigned_at, resolutions.closed_at
    from {{ ref('int_issue__kept_assignment') }} as kept
    inner join resolutions on kept.item_id = resolutions.item_id
    where not resolutions.is_censored
),

severe as (
    select distinct item_id
    from {{ ref('stg_github__label') }}
    where {{ is_severe_label('label') }}
)

select
    resolutions.item_id,
    resolutions.resolution_hours as y,
    resolutions.is_censored,
    resolutions.observed_until,
    -- Of the young nobody knows yet: graded at once, those that ended early would be too many.
    case
        when resolutions.observed_until >= resolutions.created_at + to_days({{ var('triage_days') }})
            then {{ triage_grade('resolutions.resolution_hours', 'severe.item_id is not null') }}
    end::integer as relevance,
    1.0::double as weight,
    resolutions.labelled_at,
    resolutions.business_hours,
    {{ hours_between('assignments.assigned_at', 'assignments.closed_at') }} as hours_from_assignment,
    case when assignments.assigned_at is not null then 'event' end as assigned_at_source,
    assignments.assigned_at
from resolutions
inner join tickets on resolutions.item_id = tickets.item_id
left join assignments on resolutions.item_id = assignments.item_id
left join severe on resolutions.item_id = severe.item_id
