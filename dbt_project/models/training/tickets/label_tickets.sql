-- What the harness learns and is measured by: one row per issue in scope.
-- What only the download tells of a closing (a label without its event) decides here, and for no feature.
-- A duplicate and what was not planned prove no urgency, however soon they were closed.
with closings as (
    select item_id, resolution_kind, is_resolution
    from {{ ref('int_issue__closing') }}
    where is_last
),

observed as (
    select repository, last_seen_at
    from {{ ref('int_repository__observed') }}
),

judged as (
    select
        resolutions.*,
        observed.last_seen_at,
        coalesce(closings.is_resolution, false) and resolutions.outcome <> 'opened before import' as is_resolved,
        coalesce(closings.resolution_kind not in ('duplicate', 'not_planned'), true) as is_of_work
    from {{ ref('int_issue__resolution') }} as resolutions
    inner join observed on resolutions.repository = observed.repository
    left join closings on resolutions.item_id = closings.item_id
),

resolutions as (
    select
        item_id,
        is_of_work,
        not is_resolved as is_censored,
        case when is_resolved then {{ hours_between('created_at', 'closed_at') }} end as resolution_hours,
        case when is_resolved then {{ weekday_hours('created_at', 'closed_at') }} end as business_hours,
        created_at,
        closed_at,
        case
            when is_resolved then last_seen_at
            when is_censored then observed_until
            else closed_at
        end as observed_until,
        case when is_resolved then {{ end_of_day('closed_at') }} end as labelled_at
    from judged
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
        when resolutions.observed_until >= resolutions.created_at + interval '{{ var('triage_days') }} days'
            then case
                when resolutions.is_of_work
                    then {{ triage_grade('resolutions.resolution_hours', 'severe.item_id is not null') }}
                else 0
            end
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
