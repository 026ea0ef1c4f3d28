-- The question "who should take this issue", as it was asked (closed issues whose handler is known) or stands now
-- (open issues that still exist). A closed issue is asked about at its last assignment where an event proves one,
-- else at its creation; an open one at the end of its repository's records.
with issues as (
    select item_id, repository, author_login, title, body, created_at
    from {{ ref('int_issue__cleaned') }}
),

handled as (
    select
        item_id,
        max(assigned_at) as assigned_at
    from {{ ref('int_issue__handler') }}
    group by item_id
),

open_issues as (
    select item_id
    from {{ ref('int_issue__observation') }}
    where not is_learned_from
),

observed as (
    select repository, last_seen_at
    from {{ ref('int_repository__observed') }}
),

topics as (
    select item_id, topic
    from {{ ref('int_issue__topic') }}
)

select
    issues.item_id,
    issues.repository,
    issues.author_login,
    topics.topic,
    array_distinct(
        {{ all_matches("lower(concat_ws(' ', issues.title, issues.body))", '@([a-z0-9][a-z0-9-]*)', group=1) }}
    ) as mentioned_logins,
    handled.item_id is not null as is_answered,
    case
        when handled.item_id is not null then coalesce(handled.assigned_at, issues.created_at)
        else observed.last_seen_at
    end as asked_at
from issues
inner join observed on issues.repository = observed.repository
left join handled on issues.item_id = handled.item_id
left join open_issues on issues.item_id = open_issues.item_id
left join topics on issues.item_id = topics.item_id
where handled.item_id is not null or open_issues.item_id is not null
