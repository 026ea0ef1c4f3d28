-- Whether the person was the one who had the issue when it was closed.
with candidates as (
    select item_id, question_id, repository, login
    from {{ ref('int_assignment__candidate') }}
    where is_answered
),

handlers as (
    select item_id, login
    from {{ ref('int_issue__handler') }}
),

closings as (
    select item_id, max(closed_at) as closed_at
    from {{ ref('int_issue__handler') }}
    group by item_id
),

observed as (
    select repository, last_seen_at
    from {{ ref('int_repository__observed') }}
)

select
    candidates.item_id,
    (handlers.login is not null)::integer::double as y,
    false as is_censored,
    observed.last_seen_at as observed_until,
    (handlers.login is not null)::integer as relevance,
    1.0::double as weight,
    {{ end_of_day('closings.closed_at') }} as labelled_at
from candidates
inner join closings on candidates.question_id = closings.item_id
inner join observed on candidates.repository = observed.repository
left join handlers
    on candidates.question_id = handlers.item_id and candidates.login = handlers.login
