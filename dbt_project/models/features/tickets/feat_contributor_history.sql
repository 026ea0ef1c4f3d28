-- What was known about the author within the repository before T, and the tenure that follows from it.
with observations as (
    select item_id, event_at, repository, author_login as login
    from {{ ref('int_issue__observation') }}
),

known as (
    {{ as_of_join(
        spine='observations',
        history=ref('int_contributor__history'),
        key=['repository', 'login'],
        features=[
            'issues_opened', 'pull_requests_opened', 'comments', 'issues_closed', 'issues_resolved',
            'median_log_hours', 'share_resolved_7d', 'first_seen_at', 'last_seen_at'
        ],
        ttl=feature_ttl(),
        in_order=true
    ) | indent(4) }}
),

counted as (
    select
        known.item_id,
        known.event_at,
        observations.login,
        coalesce(known.issues_opened, 0) as contributor_issues_opened,
        coalesce(known.issues_closed, 0) as contributor_issues_closed,
        coalesce(known.pull_requests_opened, 0) as contributor_pull_requests_opened,
        coalesce(known.comments, 0) as contributor_comments,
        coalesce(known.issues_closed, 0) / nullif(known.issues_opened, 0) as contributor_share_closed,
        known.median_log_hours as contributor_median_log_hours,
        known.share_resolved_7d as contributor_share_resolved_7d,
        {{ days_between('known.first_seen_at', 'known.event_at') }} as contributor_days_since_first_seen,
        {{ days_between('known.last_seen_at', 'known.event_at') }} as contributor_days_since_last_seen,
        known.event_timestamp,
        known.available_at
    from observations
    inner join known on observations.item_id = known.item_id and observations.event_at = known.event_at
)

select
    item_id,
    event_at,
    contributor_issues_opened,
    contributor_issues_closed,
    contributor_pull_requests_opened,
    contributor_comments,
    contributor_share_closed,
    contributor_median_log_hours,
    contributor_share_resolved_7d,
    contributor_days_since_first_seen,
    contributor_days_since_last_seen,
    {{ tenure_class(
        'login',
        'contributor_issues_opened + contributor_pull_requests_opened + contributor_comments',
        'contributor_days_since_first_seen'
    ) }} as tenure_class,
    event_timestamp,
    available_at
from counted
