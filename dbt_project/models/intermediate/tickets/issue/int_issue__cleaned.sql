-- What counts as a ticket: pull requests are out, and what is odd about an issue is flagged, not dropped.
with issues as (
    select *
    from {{ ref('stg_github__issue') }}
    where not is_pull_request
),

closing_days as (
    select repository, closed_on, is_bulk
    from {{ ref('int_repository__closing_day') }}
),

imports as (
    select repository, closed_on as imported_on
    from {{ ref('int_repository__closing_day') }}
    where is_import
)

select
    issues.item_id,
    issues.repository,
    issues.number,
    issues.title,
    issues.body,
    issues.author_login,
    issues.author_association,
    issues.has_assignee,
    issues.state = 'closed' as is_closed,
    {{ is_bot('issues.author_login', 'issues.created_at') }} as is_bot_author,
    coalesce(issues.author_login = 'ghost', true) as is_deleted_author,
    {{ is_placeholder('issues.author_login') }} as is_placeholder_author,
    coalesce(closing_days.is_bulk, false) as is_bulk_closed,
    coalesce(issues.created_at < imports.imported_on, false) as is_before_import,
    coalesce(issues.closed_at = issues.created_at, false) as is_zero_duration,
    issues.state = 'closed' and issues.closed_at is null as is_closing_time_missing,
    issues.created_at,
    issues.closed_at,
    imports.imported_on
from issues
left join closing_days
    on issues.repository = closing_days.repository and issues.closed_at::date = closing_days.closed_on
left join imports on issues.repository = imports.repository
