-- The accounts of programs: by GitHub's suffix or by the list, which hold at any time, or by the account's type,
-- known from the first fact that tells it. A table, not a view: several models ask it.
{{ config(materialized='table') }}

with records as (
    select * from {{ ref('base_github__record') }}
),

accounts as (
    select
        records.user as account,
        created_at as told_at,
        fetched_at
    from records
    union all
    select closed_by, closed_at, fetched_at
    from records
    union all
    select {{ each('assignees') }} as account, closed_at, fetched_at
    from records
    union all
    select comment.user, comment.created_at, fetched_at
    from (select {{ each('comments_data') }} as comment, fetched_at from records) as comments
    union all
    select event.actor, event.created_at, fetched_at
    from (select {{ each('events') }} as event, fetched_at from records) as events
    union all
    select event.assignee, event.created_at, fetched_at
    from (select {{ each('events') }} as event, fetched_at from records) as events
),

told as (
    select
        lower(account.login) as bot_login,
        case
            when
                lower(account.login) like '%[bot]'
                or lower(account.login) in (select lower(trim(bots.login)) from {{ ref('bots') }} as bots)
                then timestamp '{{ var("first_plausible_day") }}'
            when account.type = 'Bot' then coalesce({{ utc_timestamp('told_at') }}, fetched_at)
        end as known_at
    from accounts
    where account.login <> ''
)

select
    bot_login,
    min(known_at) as known_at
from told
where known_at is not null
group by bot_login
