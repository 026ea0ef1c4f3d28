-- Whether an issue was resolved within a horizon is decided at creation + horizon, for open and closed issues
-- alike. A closing in time that was no resolution leaves the question open.
-- An import tells, when its day is over, that the decisions on earlier issues were wrong: they are withdrawn then
-- (weight -1), not erased, since before that day nobody could know.
{% set horizons = var('horizons_days') %}
{% set decided_at = "resolutions.created_at + horizons.horizon_days * interval '1 day'" %}

with resolutions as (
    select
        item_id,
        repository,
        is_censored,
        created_at,
        closed_at,
        case when created_at < imported_on then {{ end_of_day('imported_on') }} end as withdrawn_at
    from {{ ref('int_issue__resolution') }}
),

decisions as (
    select
        resolutions.item_id,
        resolutions.repository,
        horizons.horizon_days,
        {{ decided_at }} as decided_at,
        -- The end of a day tells what was a bulk on it.
        {{ end_of_day(decided_at) }} as known_at,
        coalesce(resolutions.closed_at <= {{ decided_at }}, false) as is_resolved_in_time,
        resolutions.is_censored,
        resolutions.withdrawn_at
    from resolutions
    cross join {{ rows_of(horizons) }} as horizons (horizon_days)
),

valid as (
    select *
    from decisions
    where
        not (is_resolved_in_time and is_censored)
        and (withdrawn_at is null or known_at < withdrawn_at)
)

select
    item_id,
    repository,
    horizon_days,
    1 as weight,
    is_resolved_in_time,
    decided_at,
    known_at
from valid
union all
select
    item_id,
    repository,
    horizon_days,
    -1 as weight,
    is_resolved_in_time,
    decided_at,
    withdrawn_at as known_at
from valid
where withdrawn_at is not null
