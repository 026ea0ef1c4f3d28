-- Who may be proposed on a day on which something is asked: people seen in the repository within the window before
-- that day, best known first, and the authors of the day's questions. Windows end before the day, so that nothing
-- of the day itself is known.
{% set window = var('candidate_window_days') %}

with questions as (
    select
        repository,
        asked_at::date as day,
        array_agg(distinct author_login) as authors
    from {{ ref('int_assignment__question') }}
    group by repository, asked_at::date
),

days as (
    select
        *,
        row_number() over (partition by repository order by day) as place
    from questions
),

act_days as (
    select *
    from {{ ref('int_person__act_day') }}
),

-- An act is a person's newest one from the day after it to the next one, or to the end of the window. These days
-- have consecutive places: a range of numbers is joined, not a range of times.
spans as (
    select
        act_days.*,
        coalesce(before.place, 0) + 1 as first_place,
        until.place as last_place
    from act_days
    {{ asof_join(
        'days as before', on=['act_days.repository = before.repository'], until='act_days.day >= before.day'
    ) | indent(4) }}
    {{ asof_join(
        'days as until',
        on=['act_days.repository = until.repository'],
        until='least(act_days.next_day, act_days.day + ' ~ window ~ ') >= until.day'
    ) | indent(4) }}
),

newest as (
    select
        repository,
        login,
        acts,
        comments,
        pull_requests,
        handled,
        {{ each_number('first_place', 'last_place') }} as place
    from spans
    where last_place >= first_place
),

seen as (
    select
        newest.repository,
        newest.login,
        days.day,
        days.day - {{ window }} as window_start,
        days.day - 30 as month_start,
        days.day - 90 as quarter_start,
        array_contains(days.authors, newest.login) as is_author,
        newest.acts,
        newest.comments,
        newest.pull_requests,
        newest.handled
    from newest
    inner join days on newest.repository = days.repository and newest.place = days.place
    -- What acted before it was known to be a program.
    where not {{ is_bot('newest.login', 'days.day') }}
),

within_window as (
    select
        seen.*,
        seen.acts - coalesce(earlier.acts, 0) as acts_180d,
        seen.comments - coalesce(earlier.comments, 0) as comments_180d,
        seen.pull_requests - coalesce(earlier.pull_requests, 0) as pull_requests_180d,
        seen.handled - coalesce(earlier.handled, 0) as handled_180d
    from seen
    {{ asof_join(
        'act_days as earlier',
        on=['seen.repository = earlier.repository', 'seen.login = earlier.login'],
        until='seen.window_start > earlier.day'
    ) | indent(4) }}
),

placed as (
    select
        *,
        acts_180d / nullif(sum(acts_180d) over list, 0) as acts_share_180d,
        comments_180d / nullif(sum(comments_180d) over list, 0) as comments_share_180d,
        pull_requests_180d / nullif(sum(pull_requests_180d) over list, 0) as pull_requests_share_180d,
        handled_180d / nullif(sum(handled_180d) over list, 0) as handled_share_180d,
        rank() over (partition by repository, day order by acts_180d desc) as acts_place_180d,
        rank() over (partition by repository, day order by handled_180d desc) as handled_place_180d,
        count(*) over list as people_seen,
        row_number() over (
            partition by repository, day order by handled_180d desc, acts_180d desc, login asc
        ) as list_place
    from within_window
    window list as (partition by repository, day)
),

kept as (
    select *
    from placed
    where list_place <= {{ var('candidate_limit') }} or is_author
),

within_months as (
    select
        kept.*,
        kept.acts - coalesce(before_month.acts, 0) as acts_30d,
        kept.handled - coalesce(before_month.handled, 0) as handled_30d,
        kept.handled - coalesce(before_quarter.handled, 0) as handled_90d
    from kept
    {{ asof_join(
        'act_days as before_month',
        on=['kept.repository = before_month.repository', 'kept.login = before_month.login'],
        until='kept.month_start > before_month.day'
    ) | indent(4) }}
    {{ asof_join(
        'act_days as before_quarter',
        on=['kept.repository = before_quarter.repository', 'kept.login = before_quarter.login'],
        until='kept.quarter_start > before_quarter.day'
    ) | indent(4) }}
)

select
    repository,
    day,
    login,
    repository || '|' || day || '|' || login as item_id,
    day::timestamp as event_at,
    list_place <= {{ var('candidate_limit') }} as is_listed,
    acts_30d,
    acts_180d,
    comments_180d,
    pull_requests_180d,
    handled_30d,
    handled_180d,
    acts_30d / nullif(sum(acts_30d) over list, 0) as acts_share_30d,
    acts_share_180d,
    comments_share_180d,
    pull_requests_share_180d,
    handled_30d / nullif(sum(handled_30d) over list, 0) as handled_share_30d,
    handled_90d / nullif(sum(handled_90d) over list, 0) as handled_share_90d,
    handled_share_180d,
    acts_place_180d::integer as acts_place_180d,
    handled_place_180d::integer as handled_place_180d,
    people_seen::integer as people_seen
from within_months
window list as (partition by repository, day)
