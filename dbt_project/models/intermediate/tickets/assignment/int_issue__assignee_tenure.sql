-- Seniority of the first assignee, for slices only: who is assigned is as of the crawl, but how long that
-- person had been around is as of T.
with observations as (
    select observed.item_id, observed.event_at, observed.repository, assignees.assignee_login as login
    from {{ ref('int_issue__observation') }} as observed
    inner join {{ ref('stg_github__assignee') }} as assignees on observed.item_id = assignees.item_id
    where assignees.position = 1
),

known as (
    {{ as_of_join(
        spine='observations',
        history=ref('int_contributor__history'),
        key=['repository', 'login'],
        features=['issues_opened', 'pull_requests_opened', 'comments', 'first_seen_at'],
        ttl='1825 days',
        in_order=true
    ) | indent(4) }}
)

select
    observations.item_id,
    observations.event_at,
    observations.login as assignee_login,
    {{ tenure_class(
        'observations.login',
        'known.issues_opened + known.pull_requests_opened + known.comments',
        days_between('known.first_seen_at', 'known.event_at')
    ) }} as assignee_tenure_class
from observations
inner join known on observations.item_id = known.item_id and observations.event_at = known.event_at
