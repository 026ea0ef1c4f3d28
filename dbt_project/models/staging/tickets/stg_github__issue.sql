-- A table, not a view: the cleaned text is read by several models.
{{ config(materialized='table') }}

with records as (
    select * from {{ ref('base_github__record') }}
)

select
    item_id,
    repository,
    number,
    source,
    id as github_id,
    -- Some trackers allow an issue without a title.
    coalesce({{ clean_text('title') }}, '') as title,
    {{ clean_text('body') }} as body,
    case
        when lower(state) in ('open', 'closed') then lower(state)
        when closed_at is null then 'open'
        else 'closed'
    end as state,
    lower(state_reason) as state_reason,
    nullif(records.user.login, '') as author_login,
    records.user.type as author_type,
    nullif(author_association, '') as author_association,
    nullif(milestone.title, '') as milestone_title,
    nullif(closed_by.login, '') as closed_by_login,
    comments as comment_count,
    comments_data is not null as has_known_comments,
    -- The REST list gives an object for a pull request, archives give true; absent, null and false are issues.
    coalesce(pull_request::string not in ('null', 'false'), false) as is_pull_request,
    coalesce(locked, false) as is_locked,
    -- An empty list says that nobody is assigned, a missing one (null) that nobody knows.
    cardinality(assignees) > 0 as has_assignee,
    {{ utc_timestamp('created_at') }} as created_at,
    {{ utc_timestamp('updated_at') }} as updated_at,
    {{ utc_timestamp('closed_at') }} as closed_at,
    fetched_at
from records
