with assignees as (
    select
        item_id,
        unnest(list_transform(assignees, lambda person: person.login)) as assignee_login,
        generate_subscripts(assignees, 1) as position
    from {{ ref('base_github__record') }}
)

select
    item_id,
    position,
    assignee_login
from assignees
where assignee_login is not null and assignee_login <> ''
