-- When each repository was last looked at: the newest time anywhere in its records. An open issue was seen
-- open until then. The time of the crawl would promise more than some snapshots hold.
with times as (
    select
        repository,
        fetched_at,
        least(created_at, updated_at, closed_at) as first_at,
        greatest(created_at, updated_at, closed_at) as last_at
    from {{ ref('stg_github__issue') }}
    union all
    select repository, null as fetched_at, created_at as first_at, created_at as last_at
    from {{ ref('stg_github__comment') }}
    union all
    select repository, null as fetched_at, created_at as first_at, created_at as last_at
    from {{ ref('stg_github__event') }}
)

select
    repository,
    min(first_at) as first_seen_at,
    max(last_at) as last_seen_at,
    max(fetched_at) as last_fetched_at
from times
group by repository
