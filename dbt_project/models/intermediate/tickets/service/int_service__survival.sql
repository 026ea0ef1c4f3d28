-- What share of the tickets that were opened in a period still waits, by the hours since: Kaplan & Meier's curves.
with waits as (
    select *
    from {{ ref('int_service__wait') }}
),

groups as (
    select *
    from {{ ref('int_issue__group') }}
),

-- A number for each curve: a million rows are sorted by it, and its four names would take twice the time.
cells as (
    select
        periods.repository,
        periods.period,
        named.group_name,
        metrics.metric,
        periods.starts_at,
        periods.ends_at,
        row_number() over (order by periods.repository, periods.period, named.group_name, metrics.metric) as cell_id
    from {{ ref('int_repository__period') }} as periods
    inner join (select distinct repository, group_name from groups) as named
        on periods.repository = named.repository
    cross join (select distinct metric from waits) as metrics
),

durations as (
    select cells.cell_id, waits.hours, waits.is_observed
    from waits
    inner join groups on waits.item_id = groups.item_id
    inner join cells
        on
            groups.repository = cells.repository
            and groups.group_name = cells.group_name
            and waits.metric = cells.metric
            and waits.created_at between cells.starts_at and cells.ends_at
),

curves as (
    {{ kaplan_meier('durations', ['cell_id']) | indent(4) }}
)

select
    cells.repository,
    cells.period,
    cells.group_name,
    cells.metric,
    curves.hours,
    curves.n_at_risk,
    curves.n_events,
    curves.n_censored,
    curves.survival,
    curves.standard_error,
    curves.ci_low,
    curves.ci_high
from curves
inner join cells on curves.cell_id = cells.cell_id
