-- The stretches of time that service is measured for: all of a repository's records, the last 90 and 365 days of them,
-- and every year. They end when the repository was last looked at, never now.
with observed as (
    select repository, last_seen_at
    from {{ ref('int_repository__observed') }}
),

openings as (
    select repository, min(created_at) as first_opened_at
    from {{ ref('int_issue__cleaned') }}
    group by repository
),

repositories as (
    select openings.repository, openings.first_opened_at, observed.last_seen_at
    from openings
    inner join observed on openings.repository = observed.repository
),

years as (
    select
        repository,
        last_seen_at,
        {{ each_number('year(first_opened_at)', 'year(last_seen_at)') }} as year
    from repositories
)

select repository, 'all' as period, first_opened_at as starts_at, last_seen_at as ends_at
from repositories
{%- for days in [90, 365] %}
union all
select
    repository,
    'last {{ days }} days' as period,
    last_seen_at - interval '{{ days }} days' as starts_at,
    last_seen_at as ends_at
from repositories
{%- endfor %}
union all
select
    repository,
    year::string as period,
    make_timestamp(year, 1, 1, 0, 0, 0) as starts_at,
    least({{ last_instant('make_timestamp(year, 12, 31, 0, 0, 0)') }}, last_seen_at) as ends_at
from years
