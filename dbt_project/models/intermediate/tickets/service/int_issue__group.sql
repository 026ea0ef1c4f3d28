-- For whom service is measured: everybody, the author by what was known of them when they opened the ticket, and the
-- labels that are frequent in a repository, as of the data.
with issues as (
    select item_id, repository, author_login, is_bot_author, is_placeholder_author, created_at
    from {{ ref('int_issue__cleaned') }}
),

seen as (
    select repository, login, min(known_at) as seen_at
    from {{ ref('int_person__fact') }}
    group by repository, login
),

members as (
    select repository, lower(actor_id) as login, min(known_at) as member_at
    from {{ ref('int_issue__event') }}
    where actor_kind = 'member'
    group by all
),

labels as (
    select issues.repository, labels.item_id, labels.label
    from {{ ref('stg_github__label') }} as labels
    inner join issues on labels.item_id = issues.item_id
    qualify count(*) over (partition by issues.repository, labels.label) >= {{ var('service_group_minimum') }}
)

select item_id, repository, 'all' as group_name
from issues
union all
select
    issues.item_id,
    issues.repository,
    case
        when issues.is_bot_author then 'bot'
        when issues.is_placeholder_author then 'unknown'
        when members.member_at < issues.created_at then 'member'
        when seen.seen_at < issues.created_at then 'regular'
        else 'newcomer'
    end as group_name
from issues
left join seen on issues.repository = seen.repository and issues.author_login = seen.login
left join members on issues.repository = members.repository and lower(issues.author_login) = members.login
union all
select item_id, repository, 'label: ' || label as group_name
from labels
