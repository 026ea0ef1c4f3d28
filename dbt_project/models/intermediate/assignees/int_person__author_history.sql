-- How many issues of one author each person has handled, after each day on which that changed.
with handlers as (
    select repository, author_login, login, closed_at::date as day
    from {{ ref('int_issue__handler') }}
    where not {{ is_placeholder('author_login') }}
),

daily as (
    select repository, author_login, login, day, count(*) as handled
    from handlers
    group by repository, author_login, login, day
)

select
    repository,
    author_login,
    login,
    repository || '|' || author_login || '|' || login || '|' || day as id,
    (sum(handled) over until_day)::integer as handled,
    {{ last_instant('day') }} as event_timestamp,
    {{ last_instant('day') }} as available_at
from daily
window until_day as (partition by repository, author_login, login order by day rows unbounded preceding)
