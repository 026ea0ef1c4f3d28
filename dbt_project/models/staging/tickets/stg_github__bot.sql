-- The accounts of programs: by the account's type, wherever a record tells it, by GitHub's suffix, or by the list.
-- A table, not a view: several models ask it.
{{ config(materialized='table') }}

with records as (
    select * from {{ ref('base_github__record') }}
),

accounts as (
    select "user" as account from records
    union all
    select closed_by from records
    union all
    select unnest(assignees) from records
    union all
    select unnest(list_transform(comments_data, lambda comment: comment.user)) from records
    union all
    select unnest(list_transform(events, lambda event: event.actor)) from records
    union all
    select unnest(list_transform(events, lambda event: event.assignee)) from records
)

select distinct lower(account.login) as bot_login
from accounts
where
    account.login <> ''
    and (
        account.type = 'Bot'
        or ends_with(lower(account.login), '[bot]')
        or lower(account.login) in ('{{ var("bot_logins") | join("', '") }}') -- noqa: LT05
    )
