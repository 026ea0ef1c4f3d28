-- Who had an issue when it was closed: proven by events where there are any, else the assignees of the record.
-- A record's assignees carry no time. Of a closed issue they count as known when its closing is, never before:
-- an issue that is open says nothing about who works on it.
with issues as (
    select item_id, repository, author_login, closed_at
    from {{ ref('int_issue__cleaned') }}
    where closed_at >= created_at
),

resolutions as (
    select item_id, is_censored, resolution_hours
    from {{ ref('int_issue__resolution') }}
),

topics as (
    select item_id, topic
    from {{ ref('int_issue__topic') }}
),

proven as (
    select
        item_id,
        assignee_login,
        max(assigned_at) as assigned_at
    from {{ ref('int_issue__assignment') }}
    where is_released_by_closing
    group by item_id, assignee_login
),

with_events as (
    select distinct item_id
    from {{ ref('int_issue__event') }}
    where event = 'assigned' and assignee is not null
),

handlers as (
    select item_id, assignee_login, assigned_at
    from proven
    union all
    select distinct
        assignees.item_id,
        assignees.assignee_login,
        null::timestamp as assigned_at
    from {{ ref('stg_github__assignee') }} as assignees
    left join with_events on assignees.item_id = with_events.item_id
    where with_events.item_id is null
)

select
    issues.item_id,
    issues.repository,
    issues.author_login,
    handlers.assignee_login as login,
    topics.topic,
    case when not resolutions.is_censored then ln(1 + resolutions.resolution_hours) end as log_hours,
    handlers.assigned_at,
    issues.closed_at
from handlers
inner join issues on handlers.item_id = issues.item_id
inner join resolutions on issues.item_id = resolutions.item_id
left join topics on issues.item_id = topics.item_id
where
    not {{ is_bot('handlers.assignee_login', 'issues.closed_at') }}
    and not {{ is_placeholder('handlers.assignee_login') }}
