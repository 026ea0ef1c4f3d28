-- Who an issue was last seen assigned to: one row per assignment event, null once the assignee was released.
-- Closing does not release anybody here: the issue is over then.
select
    item_id,
    repository,
    case when event = 'assigned' then assignee end as assignee_login,
    event_id as id,
    event_at as event_timestamp,
    known_at as available_at
from {{ ref('int_issue__event') }}
where event in ('assigned', 'unassigned') and assignee is not null
