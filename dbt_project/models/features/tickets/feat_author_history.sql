-- What was known about the author, over all repositories, before T.
with observations as (
    select item_id, event_at, author_login as login
    from {{ ref('int_issue__observation') }}
),

known as (
    {{ as_of_join(
        spine='observations',
        history=ref('int_author__history'),
        key=['login'],
        features=[
            'issues_opened', 'pull_requests_opened', 'comments', 'issues_closed', 'issues_resolved',
            'median_log_hours', 'share_resolved_7d', 'first_seen_at', 'last_seen_at', 'last_issue_at'
        ],
        ttl=feature_ttl(),
        in_order=true
    ) | indent(4) }}
)

select
    observations.item_id,
    observations.event_at,
    coalesce(known.issues_opened, 0) as author_issues_opened,
    coalesce(known.issues_closed, 0) as author_issues_closed,
    coalesce(known.pull_requests_opened, 0) as author_pull_requests_opened,
    coalesce(known.comments, 0) as author_comments,
    coalesce(known.issues_closed, 0) / nullif(known.issues_opened, 0) as author_share_closed,
    known.median_log_hours as author_median_log_hours,
    known.share_resolved_7d as author_share_resolved_7d,
    {{ days_between('known.first_seen_at', 'known.event_at') }} as author_days_since_first_seen,
    {{ days_between('known.last_seen_at', 'known.event_at') }} as author_days_since_last_seen,
    {{ days_between('known.last_issue_at', 'known.event_at') }} as author_days_since_last_issue,
    {{ is_bot('observations.login', 'observations.event_at') }} as author_is_bot,
    known.event_timestamp,
    known.available_at
from observations
inner join known on observations.item_id = known.item_id and observations.event_at = known.event_at
