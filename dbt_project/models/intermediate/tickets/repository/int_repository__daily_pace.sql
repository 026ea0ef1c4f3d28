-- How fast a repository's issues of each age were resolved lately, at the end of each UTC day: resolutions per issue
-- and day of those that were of that age within the last days. It tells of the present at once, while a share of those
-- that were opened together is known only when they are old.
-- Every issue is watched until it is closed, for whatever reason; one that came through an import, until that is known.
-- What is rare is drawn towards the repository's pace ever since, by the weight of five resolutions.
{% set ages, windows, weight = var('pace_ages_days'), var('pace_windows_days'), 5 %}

with days as (
    select repository, id::date as day
    from {{ ref('int_repository__daily_state') }}
),

lives as (
    select
        repository,
        created_at,
        not is_censored as is_resolved,
        case
            when outcome = 'opened before import'
                then least(coalesce(closed_at, {{ end_of_day('imported_on') }}), {{ end_of_day('imported_on') }})
            else closed_at
        end as left_at
    from {{ ref('int_issue__resolution') }}
    where outcome <> 'closing time missing'
),

ages as (
    select age, lead(age) over (order by age) as next_age
    from {{ rows_of(ages) }} as ages (age)
),

-- While an issue is of an age.
spells as (
    select
        lives.repository,
        ages.age,
        lives.created_at + ages.age * interval '1 day' as from_at,
        least(lives.left_at, lives.created_at + ages.next_age * interval '1 day') as until_at,
        lives.is_resolved
        and (ages.next_age is null or lives.left_at <= lives.created_at + ages.next_age * interval '1 day') as is_end
    from lives
    inner join ages on lives.left_at is null or lives.left_at > lives.created_at + ages.age * interval '1 day'
),

changes as (
    select repository, age, from_at as changed_at, 1 as entered, 0 as ended
    from spells
    union all
    select repository, age, until_at as changed_at, -1 as entered, is_end::integer as ended
    from spells
    where until_at is not null
),

changed_per_day as (
    select
        {%- for age in ages %}
        sum(entered) filter (where age = {{ age }}) as entered_{{ age }},
        sum(entered * {{ microseconds('changed_at') }}) filter (where age = {{ age }}) as moments_{{ age }},
        sum(ended) filter (where age = {{ age }}) as ended_{{ age }},
        {%- endfor %}
        repository,
        changed_at::date as day
    from changes
    group by repository, day
),

-- To the end of each day: resolutions, and days that issues of the age were watched.
so_far as (
    select
        {%- for age in ages %}
        sum(coalesce(changed_per_day.ended_{{ age }}, 0)) over until_day as ended_{{ age }},
        (
            sum(coalesce(changed_per_day.entered_{{ age }}, 0)) over until_day
            * {{ microseconds("days.day + interval '1 day'") }}
            - sum(coalesce(changed_per_day.moments_{{ age }}, 0)) over until_day
        ) / 86400e6 as watched_{{ age }},
        {%- endfor %}
        days.repository,
        days.day
    from days
    left join changed_per_day on days.repository = changed_per_day.repository and days.day = changed_per_day.day
    window until_day as (partition by days.repository order by days.day)
),

-- Every day has a row, so the row of so many rows before is that of so many days before.
paces as (
    select
        {%- for age in ages %}
        nullif(ended_{{ age }}, 0) / nullif(watched_{{ age }}, 0) as ever_{{ age }},
        {%- for window in windows %}
        ended_{{ age }} - coalesce(lag(ended_{{ age }}, {{ window }}) over by_day, 0) as ended_{{ age }}_{{ window }},
        watched_{{ age }} - coalesce(lag(watched_{{ age }}, {{ window }}) over by_day, 0)
            as watched_{{ age }}_{{ window }},
        {%- endfor %}
        {%- endfor %}
        repository,
        day
    from so_far
    window by_day as (partition by repository order by day)
)

select
    repository,
    day::string as id,
    {%- for age in ages %}
    {%- for window in windows %}
    (ended_{{ age }}_{{ window }} + {{ weight }})
    / (greatest(watched_{{ age }}_{{ window }}, 0) + {{ weight }} / ever_{{ age }}) as pace_{{ age }}d_{{ window }}d,
    {%- endfor %}
    ever_{{ age }} as pace_{{ age }}d_ever,
    {%- endfor %}
    {{ end_of_day('day') }} as event_timestamp,
    {{ end_of_day('day') }} as available_at
from paces
