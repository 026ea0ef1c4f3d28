-- How long each issue took, or how long it was at least open (censored).
--
-- Not a resolution: a bulk closing (import or tidying up), a closing at the very second of creation (an
-- artefact of book-keeping), and a closing without a time. Such a closing says nothing about the time before
-- it either, so these issues are observed until their creation only.
-- The same holds for what was opened before an import and came through it open: of the issues of that time only
-- the slowest can be told apart, and they would make the whole era look slow (1,293 issues of golang/go).
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

judged as (
    select
        *,
        coalesce(is_closed and closed_at > created_at and not is_bulk_closed and not is_before_import, false)
            as is_resolved
    from issues
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
        else 'zero duration'
    end as outcome,
    not judged.is_resolved as is_censored,
    judged.created_at,
    judged.closed_at,
    judged.imported_on,
    case
        when judged.is_before_import or (judged.is_closed and not judged.is_resolved) then judged.created_at
        when not judged.is_closed
            then greatest(judged.created_at, least(observed.last_seen_at, vanished.last_seen_at))
        else observed.last_seen_at
    end as observed_until,
    case when judged.is_resolved then {{ end_of_day('judged.closed_at') }} end as labelled_at
from judged
inner join observed on judged.repository = observed.repository
left join vanished on judged.item_id = vanished.item_id
