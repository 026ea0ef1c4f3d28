-- Issues that are open at the end of the records and still exist: what predictions are for. Whether an issue is
-- open is never a feature.
with issues as (
    select item_id, repository, number
    from {{ ref('int_issue__cleaned') }}
    where not is_closed
),

vanished as (
    select item_id
    from {{ ref('stg_github__tombstone') }}
)

select
    issues.item_id,
    issues.repository,
    issues.number
from issues
left join vanished on issues.item_id = vanished.item_id
where vanished.item_id is null
