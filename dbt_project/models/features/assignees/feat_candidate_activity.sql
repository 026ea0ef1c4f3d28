-- The person: what they did in the repository, and how much of it, before the day of T.
with candidates as (
    select item_id, repository, login, day, event_at
    from {{ ref('int_assignment__candidate') }}
),

people as (
    select *
    from {{ ref('int_assignment__person_day') }}
),

known as (
    {{ as_of_join(
        spine=ref('int_assignment__person_day'),
        history=ref('int_person__state'),
        key=['repository', 'login'],
        features=[
            'acts',
            'handled',
            'open_involved',
            'open_assigned',
            'median_log_hours',
            'first_act_on',
            'last_seen_on',
            'last_handled_on',
        ],
        ttl=feature_ttl(),
        in_order=true
    ) | indent(4) }}
)

select
    candidates.item_id,
    candidates.event_at,
    people.acts_30d,
    people.acts_180d,
    people.comments_180d,
    people.pull_requests_180d,
    people.acts_share_30d,
    people.acts_share_180d,
    people.comments_share_180d,
    people.pull_requests_share_180d,
    people.acts_place_180d,
    people.people_seen,
    coalesce(known.acts, 0) as acts_ever,
    (people.day - known.first_act_on)::bigint as days_since_first_seen,
    (people.day - known.last_seen_on)::bigint as days_since_last_seen,
    people.handled_30d,
    people.handled_180d,
    people.handled_share_30d,
    people.handled_share_90d,
    people.handled_share_180d,
    people.handled_place_180d,
    coalesce(known.handled, 0) as handled_ever,
    (people.day - known.last_handled_on)::bigint as days_since_handled,
    known.median_log_hours,
    coalesce(known.open_involved, 0) as open_involved,
    coalesce(known.open_assigned, 0) as open_assigned,
    known.event_timestamp,
    known.available_at
from candidates
inner join people
    on
        candidates.repository = people.repository
        and candidates.day = people.day
        and candidates.login = people.login
inner join known on people.item_id = known.item_id and people.event_at = known.event_at
