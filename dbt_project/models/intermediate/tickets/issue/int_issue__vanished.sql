-- When an issue that vanished (deleted, transferred, …) was last seen: at its last fetch. What became of it between
-- then and the sweep that missed it nobody knows. The fetch is timed by our clock, the sweep by GitHub's.
with tombstones as (
    select item_id, seen_at
    from {{ ref('stg_github__tombstone') }}
),

issues as (
    select item_id, fetched_at
    from {{ ref('stg_github__issue') }}
)

select
    tombstones.item_id,
    least(issues.fetched_at, tombstones.seen_at) as last_seen_at
from tombstones
inner join issues on tombstones.item_id = issues.item_id
