-- What is known of answers, and when: that an issue was opened, that it was answered, and, so many days after its
-- creation, whether it was answered within them. What nobody knows by then stays open.
{% set horizons = var('response_horizons_days') %}

with issues as (
    select item_id, repository, author_login, created_at
    from {{ ref('int_issue__cleaned') }}
),

responses as (
    select
        issues.*,
        hour(issues.created_at) as hour,
        responses.responded_at,
        responses.observed_until
    from {{ ref('int_issue__first_response') }} as responses
    inner join issues on responses.item_id = issues.item_id
    where responses.is_known
)

select
    item_id,
    repository,
    author_login,
    hour,
    'opened' as fact,
    0 as horizon_days,
    null::double as value,
    created_at as known_at
from responses
union all
select
    item_id,
    repository,
    author_login,
    hour,
    'answered' as fact,
    0 as horizon_days,
    ln(1 + {{ hours_between('created_at', 'responded_at') }}) as value,
    responded_at as known_at
from responses
where responded_at is not null
union all
select
    responses.item_id,
    responses.repository,
    responses.author_login,
    responses.hour,
    'decided' as fact,
    horizons.horizon_days,
    coalesce(responses.responded_at <= responses.created_at + horizons.horizon_days * interval '1 day', false)::integer
        as value,
    responses.created_at + horizons.horizon_days * interval '1 day' as known_at
from responses
cross join {{ rows_of(horizons) }} as horizons (horizon_days)
where
    responses.observed_until >= responses.created_at + horizons.horizon_days * interval '1 day'
    or responses.responded_at <= responses.created_at + horizons.horizon_days * interval '1 day'
