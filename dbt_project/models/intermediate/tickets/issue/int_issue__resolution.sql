-- How long each issue took, or how long it was at least open (censored), by what was known when the day of its
-- closing was over: features read this. What only the download tells of a closing enters label_tickets alone.
--
-- Not a resolution: a closing of a kind that does not count (see int_issue__closing), and one without a time. A bulk
-- closing, a closing at the very second of creation and one without a time say nothing about the time before either,
-- so these issues are observed until their creation only; the others until they were closed.
-- The creation holds as well for what was opened before an import and came through it open: of the issues of that
-- time only the slowest can be told apart, and they would make the whole era look slow (1,293 issues of golang/go).
-- All others are observed to the end of the repository's records: a resolved issue's horizons beyond its closing
-- are known as well.
-- An open issue that vanished is observed until it was last seen: a deletion is no resolution, and from then on
-- nobody knows whether there would have been one.
-- Whether a closing is part of a bulk is known when its UTC day is over: that is when its label is known.
with issues as (
    select *
    from {{ ref('int_issue__cleaned') }}
),

observed as (
    select repository, last_seen_at
    from {{ ref('int_repository__observed') }}
),

vanished as (
    select item_id, last_seen_at
    from {{ ref('int_issue__vanished') }}
),

closings as (
    select item_id, resolution_kind, was_resolution
    from {{ ref('int_issue__closing') }}
    where is_last
),

judged as (
    select
        issues.*,
        closings.resolution_kind,
        coalesce(closings.was_resolution, false) and not issues.is_before_import as is_resolved,
        -- The closing says nothing about the time before it.
        issues.is_closed
        and (
            closings.item_id is null
            or issues.is_bulk_closed
            or issues.is_zero_duration
            or issues.closed_at < issues.created_at
        ) as is_untimely
    from issues
    left join closings on issues.item_id = closings.item_id
)

select
    judged.item_id,
    judged.repository,
    case when judged.is_resolved then {{ hours_between('judged.created_at', 'judged.closed_at') }} end
        as resolution_hours,
    case when judged.is_resolved then {{ weekday_hours('judged.created_at', 'judged.closed_at') }} end
        as business_hours,
    case
        when judged.is_resolved then 'resolved'
        when judged.is_bulk_closed then 'bulk closed'
        when judged.is_before_import then 'opened before import'
        when not judged.is_closed then 'open'
        when judged.is_closing_time_missing then 'closing time missing'
        when judged.is_zero_duration or judged.closed_at < judged.created_at then 'zero duration'
        else replace(judged.resolution_kind, '_', ' ')
    end as outcome,
    not judged.is_resolved as is_censored,
    judged.created_at,
    judged.closed_at,
    judged.imported_on,
    case
        when judged.is_before_import or (judged.is_untimely and not judged.is_resolved) then judged.created_at
        when judged.is_closed and not judged.is_resolved then judged.closed_at
        when not judged.is_closed
            then greatest(judged.created_at, least(observed.last_seen_at, vanished.last_seen_at))
        else observed.last_seen_at
    end as observed_until,
    case when judged.is_resolved then {{ end_of_day('judged.closed_at') }} end as labelled_at
from judged
inner join observed on judged.repository = observed.repository
left join vanished on judged.item_id = vanished.item_id
