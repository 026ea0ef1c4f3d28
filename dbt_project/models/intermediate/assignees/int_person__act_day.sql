-- What people had done in a repository by the end of each UTC day on which they did something: running sums.
-- Programs and placeholder accounts are no people.
with acts as (
    select
        repository,
        login,
        fact_at::date as day,
        1 as acts,
        (fact = 'commented')::integer as comments,
        (fact = 'pull request opened')::integer as pull_requests,
        0 as handled
    from {{ ref('int_person__fact') }}
    where fact in ('issue opened', 'pull request opened', 'commented')
    union all
    select
        repository,
        login,
        closed_at::date as day,
        0 as acts,
        0 as comments,
        0 as pull_requests,
        1 as handled
    from {{ ref('int_issue__handler') }}
),

daily as (
    select
        repository,
        login,
        day,
        sum(acts) as acts,
        sum(comments) as comments,
        sum(pull_requests) as pull_requests,
        sum(handled) as handled
    from acts
    where not {{ is_bot('login', last_instant('day')) }}
    group by repository, login, day
)

select
    repository,
    login,
    day,
    lead(day) over (partition by repository, login order by day) as next_day,
    (sum(acts) over until_day)::integer as acts,
    (sum(comments) over until_day)::integer as comments,
    (sum(pull_requests) over until_day)::integer as pull_requests,
    (sum(handled) over until_day)::integer as handled
from daily
window until_day as (partition by repository, login order by day rows unbounded preceding)
