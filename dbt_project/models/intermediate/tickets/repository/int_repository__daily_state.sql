-- Each repository at the end of each UTC day, available from then on: what was open, how much came and went,
-- and how fast. Bulk closings shrink the backlog but say nothing about speed.
{% set horizons = var('horizons_days') %}
{% set windows = [7, 30, 90] %}

with resolutions as (
    select *
    from {{ ref('int_issue__resolution') }}
),

decisions as (
    select *
    from {{ ref('int_issue__decision') }}
    where weight > 0
),

acts as (
    select distinct repository, login, fact_at::date as day
    from {{ ref('int_person__fact') }}
    where fact in ('issue opened', 'pull request opened', 'commented')
),

-- To the end of the records: an issue that is open is looked at long after the last one was opened.
lives as (
    select
        resolutions.repository,
        any_value(resolutions.imported_on) as imported_on,
        min(resolutions.created_at)::date as first_day,
        any_value(observed.last_seen_at)::date as last_day
    from resolutions
    inner join {{ ref('int_repository__observed') }} as observed on resolutions.repository = observed.repository
    group by resolutions.repository
),

days as (
    select
        repository,
        imported_on,
        {{ each_day('first_day', 'last_day') }} as day
    from lives
),

opened_per_day as (
    select repository, created_at::date as day, count(*) as opened
    from resolutions
    group by repository, day
),

closed_per_day as (
    select repository, closed_at::date as day, count(*) as closed
    from resolutions
    where closed_at is not null
    group by repository, day
),

decided_per_day as (
    select
        {%- for horizon in horizons %}
        count(*) filter (where horizon_days = {{ horizon }}) as decided_{{ horizon }}d,
        count(*) filter (where horizon_days = {{ horizon }} and is_resolved_in_time) as resolved_{{ horizon }}d,
        {%- endfor %}
        repository,
        decided_at::date as day
    from decisions
    group by repository, day
),

-- The days themselves take part in the windows below, so that a quiet day has a state too.
speed_rows as (
    select repository, day, null::double as log_hours
    from days
    union all
    select repository, closed_at::date, ln(1 + resolution_hours)
    from resolutions
    where not is_censored
),

speeds as (
    select
        repository,
        day,
        {{ quantiles('log_hours', [0.5, 0.9]) }} over (
            partition by repository order by day
            range between interval 89 days preceding and current row
        ) as quantiles
    from speed_rows
),

speed_per_day as (
    select repository, day, any_value(quantiles) as quantiles
    from speeds
    group by repository, day
),

-- A person is active on a day if they acted on it or within the 29 days before: each act opens a span of 30
-- days, cut where the person's next act opens another, so that nobody counts twice.
spans as (
    select
        repository,
        day as from_day,
        least(
            day + 30, lead(day, 1, day + 30) over (partition by repository, login order by day)
        ) as until_day
    from acts
),

people_changes as (
    select repository, day, sum(change) as change
    from (
        select repository, from_day as day, 1 as change from spans
        union all
        select repository, until_day as day, -1 as change from spans
    ) as changes
    group by repository, day
),

people_per_day as (
    select repository, day, sum(change) over (partition by repository order by day) as active_people
    from people_changes
),

counted as (
    select
        days.repository,
        days.day,
        sum(coalesce(opened_per_day.opened, 0) - coalesce(closed_per_day.closed, 0)) over until_day as open_backlog,
        {%- for window in windows %}
        sum(coalesce(opened_per_day.opened, 0)) over last_{{ window }}d as opened_{{ window }}d,
        sum(coalesce(closed_per_day.closed, 0)) over last_{{ window }}d as closed_{{ window }}d,
        {%- endfor %}
        {%- for horizon in horizons %}
        sum(decided_per_day.resolved_{{ horizon }}d) over era_180d
        / nullif(sum(decided_per_day.decided_{{ horizon }}d) over era_180d, 0) as share_resolved_{{ horizon }}d,
        {%- endfor %}
        row_number() over until_day as age_days
    from days
    left join opened_per_day on days.repository = opened_per_day.repository and days.day = opened_per_day.day
    left join closed_per_day on days.repository = closed_per_day.repository and days.day = closed_per_day.day
    left join decided_per_day on days.repository = decided_per_day.repository and days.day = decided_per_day.day
    window
        until_day as (partition by days.repository order by days.day),
        {%- for window in windows %}
        last_{{ window }}d as (
            partition by days.repository order by days.day
            range between interval {{ window - 1 }} days preceding and current row
        ),
        {%- endfor %}
        -- From the end of an import on, the decisions before it count no more.
        era_180d as (
            partition by days.repository, coalesce(days.day >= days.imported_on, false) order by days.day
            range between interval 179 days preceding and current row
        )
)

select
    counted.repository,
    counted.day::string as id,
    counted.open_backlog::integer as open_backlog,
    {%- for window in windows %}
    counted.opened_{{ window }}d::integer as opened_{{ window }}d,
    counted.closed_{{ window }}d::integer as closed_{{ window }}d,
    {%- endfor %}
    {{ entry('speed_per_day.quantiles', 1) }} as median_log_hours_90d,
    {{ entry('speed_per_day.quantiles', 2) }} as p90_log_hours_90d,
    {%- for horizon in horizons %}
    counted.share_resolved_{{ horizon }}d,
    {%- endfor %}
    coalesce(people_per_day.active_people, 0)::integer as active_people_30d,
    counted.age_days::integer as age_days,
    {{ end_of_day('counted.day') }} as event_timestamp,
    {{ end_of_day('counted.day') }} as available_at
from counted
inner join speed_per_day on counted.repository = speed_per_day.repository and counted.day = speed_per_day.day
{{ asof_join(
    'people_per_day',
    on=['counted.repository = people_per_day.repository'],
    until='counted.day >= people_per_day.day'
) }}
