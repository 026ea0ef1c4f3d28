-- Who an issue was last seen assigned to: one row per assignment event, null once the assignee was released.
-- Closing does not release anybody here: the issue is over then.
select
    item_id,
    repository,
    case when event_type = 'assigned' then assignee_login end as assignee_login,
    item_id || '/' || position as id,
    created_at as event_timestamp,
    created_at as available_at
from {{ ref('stg_github__event') }}
where event_type in ('assigned', 'unassigned') and assignee_login is not null
