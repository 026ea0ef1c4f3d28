with assignees as (
    select
        item_id,
        {{ each_with_position('assignees', 'assignee') | indent(8) }}
    from {{ ref('base_github__record') }}
)

select
    item_id,
    position,
    assignee.login as assignee_login
from assignees
where assignee.login <> ''
