-- An event without a kind or a time, or with a time that cannot be, says nothing that could be used.
with events as (
    select
        item_id,
        repository,
        fetched_at,
        {{ each_with_position('events', 'event') | indent(8) }}
    from {{ ref('base_github__record') }}
)

select
    item_id,
    repository,
    position,
    event.event as event_type,
    nullif(event.actor.login, '') as actor_login,
    nullif(event.assignee.login, '') as assignee_login,
    -- Archives give the label's name, the live interface an object that holds it.
    {{ json_name('event.label') }} as label,
    lower(event.state_reason) as state_reason,
    nullif(event.commit_id, '') as commit_id,
    {{ utc_timestamp('event.created_at') }} as created_at
from events
where event.event is not null and {{ is_plausible(utc_timestamp('event.created_at'), 'fetched_at') }}
