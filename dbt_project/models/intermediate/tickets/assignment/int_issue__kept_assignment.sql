-- When the assignee whom an issue keeps was assigned: the last assignment event of the first assignee that still
-- held at the closing (or holds, of an open issue). Without such an event nobody knows.
-- Who is kept is as of the crawl: for labels only, never for a feature.
with assignments as (
    select item_id, assignee_login, assigned_at
    from {{ ref('int_issue__assignment') }}
    where is_released_by_closing or released_at is null
),

kept as (
    select item_id, assignee_login
    from {{ ref('stg_github__assignee') }}
    where position = 1
)

select
    kept.item_id,
    kept.assignee_login,
    max(assignments.assigned_at) as assigned_at
from kept
inner join assignments
    on kept.item_id = assignments.item_id and kept.assignee_login = assignments.assignee_login
group by kept.item_id, kept.assignee_login
