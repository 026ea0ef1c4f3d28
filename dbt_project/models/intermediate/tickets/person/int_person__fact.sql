-- Everything a person was seen doing, as facts: when it was true and when it was known. Pull requests are no
-- tickets, but opening one is a fact about a person. Placeholder accounts have no history.
-- Each kind of fact has what it has, the rest is null.
with records as (
    select
        item_id,
        repository,
        author_login as login,
        is_pull_request,
        created_at
    from {{ ref('stg_github__issue') }}
),

resolutions as (
    select item_id, is_censored, resolution_hours, closed_at, labelled_at
    from {{ ref('int_issue__resolution') }}
),

decisions as (
    select item_id, weight, is_resolved_in_time, decided_at, known_at
    from {{ ref('int_issue__decision') }}
    where horizon_days = 7
),

facts as (
    select
        repository,
        login,
        item_id || '/opened' as fact_id,
        case when is_pull_request then 'pull request opened' else 'issue opened' end as fact,
        null::double as log_hours,
        null::integer as n_decided,
        null::integer as n_resolved_in_time,
        created_at as fact_at,
        created_at as known_at
    from records
    union all
    select
        repository,
        author_login as login,
        item_id || '/comment/' || position as fact_id,
        'commented' as fact,
        null as log_hours,
        null as n_decided,
        null as n_resolved_in_time,
        created_at as fact_at,
        created_at as known_at
    from {{ ref('stg_github__comment') }}
    union all
    select
        records.repository,
        records.login,
        records.item_id || '/closed' as fact_id,
        'issue closed' as fact,
        null as log_hours,
        null as n_decided,
        null as n_resolved_in_time,
        resolutions.closed_at as fact_at,
        resolutions.closed_at as known_at
    from records
    inner join resolutions on records.item_id = resolutions.item_id
    where resolutions.closed_at is not null
    union all
    select
        records.repository,
        records.login,
        records.item_id || '/resolved' as fact_id,
        'issue resolved' as fact,
        ln(1 + resolutions.resolution_hours) as log_hours,
        null as n_decided,
        null as n_resolved_in_time,
        resolutions.closed_at as fact_at,
        resolutions.labelled_at as known_at
    from records
    inner join resolutions on records.item_id = resolutions.item_id
    where not resolutions.is_censored
    union all
    select
        records.repository,
        records.login,
        records.item_id || case when decisions.weight > 0 then '/decided' else '/withdrawn' end as fact_id,
        'issue decided' as fact,
        null as log_hours,
        decisions.weight as n_decided,
        decisions.weight * decisions.is_resolved_in_time::integer as n_resolved_in_time,
        decisions.decided_at as fact_at,
        decisions.known_at
    from records
    inner join decisions on records.item_id = decisions.item_id
)

select
    repository,
    login,
    fact_id,
    fact,
    log_hours,
    n_decided,
    n_resolved_in_time,
    fact_at,
    known_at
from facts
where not {{ is_placeholder('login') }}
