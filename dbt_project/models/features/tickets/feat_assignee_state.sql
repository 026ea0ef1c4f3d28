-- The assignee, only where an `assigned` event before T proves one. At creation hardly any issue has one yet;
-- the view earns its keep at later observation times.
with observations as (
    select item_id, event_at, repository
    from {{ ref('int_issue__observation') }}
),

assigned as (
    {{ as_of_join(
        spine='observations',
        history=ref('int_issue__assignee_history'),
        key=['item_id'],
        features=['assignee_login'],
        ttl=feature_ttl()
    ) | indent(4) }}
),

assigned_observations as (
    select observations.item_id, observations.event_at, observations.repository, assigned.assignee_login
    from observations
    inner join assigned on observations.item_id = assigned.item_id and observations.event_at = assigned.event_at
),

known as (
    {{ as_of_join(
        spine='assigned_observations',
        history=ref('int_assignee__history'),
        key=['repository', 'assignee_login'],
        features=['open_load', 'tickets_closed', 'median_log_hours'],
        ttl=feature_ttl(),
        in_order=true
    ) | indent(4) }}
)

select
    assigned_observations.item_id,
    assigned_observations.event_at,
    assigned_observations.assignee_login is not null as is_assigned,
    coalesce(known.open_load, 0) as assignee_open_load,
    coalesce(known.tickets_closed, 0) as assignee_tickets_closed,
    known.median_log_hours as assignee_median_log_hours,
    known.event_timestamp,
    known.available_at
from assigned_observations
inner join known
    on assigned_observations.item_id = known.item_id and assigned_observations.event_at = known.event_at
