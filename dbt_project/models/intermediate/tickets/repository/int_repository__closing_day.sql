-- Days on which a repository closed so many issues that the closings tell of an import or a tidying up,
-- not of resolutions. The verdict on a day needs nothing later than that day, so it never changes.
-- A bulk before which nothing was ever closed is an import: the tracker's past came without its closings.
with issues as (
    select repository, created_at, closed_at
    from {{ ref('stg_github__issue') }}
    where not is_pull_request
),

first_days as (
    select
        repository,
        min(created_at)::date as first_day
    from issues
    group by repository
),

closing_days as (
    select
        repository,
        closed_at::date as closed_on,
        count(*) as closings
    from issues
    where closed_at is not null
    group by repository, closed_on
),

with_past as (
    select
        closing_days.repository,
        closing_days.closed_on,
        closing_days.closings,
        coalesce(sum(closing_days.closings) over days_before, 0) as trailing_closings,
        row_number() over (partition by closing_days.repository order by closing_days.closed_on) = 1 as is_first,
        -- A young repository is measured by the days that it has lived; its first day has no past to differ from.
        nullif(least((closing_days.closed_on - first_days.first_day)::bigint, {{ var('bulk_closing_window_days') }}), 0)
            as trailing_days
    from closing_days
    inner join first_days on closing_days.repository = first_days.repository
    window days_before as (
        partition by closing_days.repository order by closing_days.closed_on
        range between interval {{ var('bulk_closing_window_days') }} days preceding and interval 1 day preceding
    )
),

judged as (
    select
        *,
        coalesce(
            closings >= {{ var('bulk_closing_minimum') }}
            and closings >= {{ var('bulk_closing_factor') }} * trailing_closings / trailing_days, false
        ) as is_bulk
    from with_past
)

select
    repository,
    closed_on,
    closings::integer as closings,
    trailing_closings / trailing_days as trailing_mean_closings,
    is_bulk,
    is_bulk and is_first as is_import
from judged
