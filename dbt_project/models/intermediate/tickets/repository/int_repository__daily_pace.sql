-- How fast a repository's issues of each age were closed lately, at the end of each UTC day: closings that count, per
-- issue and day of those that were open at that age within the last days. It tells of the present at once, while a
-- share of those that were opened together is known only when they are old.
-- The events known by then decide, not what became of an issue later: it is watched while it is open, again after it
-- was reopened, and a closing counts by what was known of its kind when its day was over.
-- From the end of an import on, the life before it counts no more: of its time only the slowest can be told apart.
-- What is rare is drawn towards the repository's pace ever since, by the weight of five closings.
{% set ages, windows, weight = var('pace_ages_days'), var('pace_windows_days'), 5 %}

with days as (
    select
        states.repository,
        states.id::date as day,
        coalesce(states.id::date < imports.imported_on, false) as is_before_import
    from {{ ref('int_repository__daily_state') }} as states
    left join (
        select repository, any_value(imported_on) as imported_on
        from {{ ref('int_issue__cleaned') }}
        group by repository
    ) as imports on states.repository = imports.repository
),

issues as (
    select item_id, repository, is_before_import, created_at
    from {{ ref('int_issue__cleaned') }}
),

counting as (
    select closing_id
    from {{ ref('int_issue__closing') }}
    where dated_kind in ('{{ var("resolving_kinds") | join("', '") }}') -- noqa: LT05
),

-- A clock that runs ahead puts a closing before the creation: the issue was never seen open until then.
turns as (
    select
        events.item_id,
        events.event,
        counting.closing_id is not null as is_counting,
        greatest(events.event_at, issues.created_at) as turned_at,
        row_number() over (
            partition by events.item_id
            order by greatest(events.event_at, issues.created_at), events.event <> 'opened', events.event_id
        ) as turn
    from {{ ref('int_issue__event') }} as events
    inner join issues on events.item_id = issues.item_id
    left join counting on events.event_id = counting.closing_id
    where events.event in ('opened', 'closed', 'reopened')
),

lives as (
    select
        issues.repository,
        issues.is_before_import,
        issues.created_at,
        turns.turned_at as open_from,
        following.turned_at as open_until,
        coalesce(following.is_counting, false) as is_closed
    from turns
    inner join issues on turns.item_id = issues.item_id
    left join turns as following on turns.item_id = following.item_id and turns.turn + 1 = following.turn
    where turns.event <> 'closed'
),

ages as (
    select age, lead(age) over (order by age) as next_age
    from {{ rows_of(ages) }} as ages (age)
),

aged as (
    select
        lives.*,
        ages.age,
        lives.created_at + ages.age * interval '1 day' as age_from,
        lives.created_at + ages.next_age * interval '1 day' as age_until
    from lives
    cross join ages
),

-- While an issue is open at an age.
spells as (
    select
        repository,
        is_before_import,
        age,
        greatest(open_from, age_from) as from_at,
        least(open_until, age_until) as until_at,
        is_closed and (age_until is null or open_until <= age_until) as is_end
    from aged
    where
        (open_until is null or open_until > greatest(open_from, age_from))
        and (age_until is null or open_from < age_until)
),

changes as (
    select repository, is_before_import, age, from_at as changed_at, 1 as entered, 0 as ended
    from spells
    union all
    select repository, is_before_import, age, until_at as changed_at, -1 as entered, is_end::integer as ended
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
        is_before_import,
        changed_at::date as day
    from changes
    group by repository, is_before_import, day
),

-- To the end of each day: closings, and days that issues of the age were watched.
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
        days.is_before_import,
        days.day
    from days
    left join changed_per_day
        on
            days.repository = changed_per_day.repository
            and days.is_before_import = changed_per_day.is_before_import
            and days.day = changed_per_day.day
    window until_day as (partition by days.repository, days.is_before_import order by days.day)
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
    window by_day as (partition by repository, is_before_import order by day)
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
