-- How a repository serves those who open tickets, named as CHAOSS names it; all as of the end of its records.
with survival as (
    select *
    from {{ ref('int_service__survival') }}
),

standing as (
    select standing.*, groups.group_name
    from {{ ref('int_service__standing') }} as standing
    inner join {{ ref('int_issue__group') }} as groups on standing.item_id = groups.item_id
),

waits as (
    {%- for name, share in [('median', 0.5), ('p90', 0.9)] %}
    {{ 'union all' if not loop.first }}
    select
        repository,
        period,
        group_name,
        metric || '_{{ name }}' as metric,
        max(n_at_risk) as n,
        {{ survival_quantile(share) }} as value,
        {{ survival_quantile_limit(share, 'ci_low') }} as ci_low,
        {{ survival_quantile_limit(share, 'ci_high') }} as ci_high,
        sum(n_censored)::bigint as n_censored
    from survival
    group by all
    {%- endfor %}
),

shares as (
    select
        repository,
        period,
        group_name,
        metric,
        n,
        value,
        ci_low,
        ci_high,
        n_censored
    from {{ ref('int_service__share') }}
),

counted as (
    select
        repository,
        period,
        group_name,
        count(*) filter (where is_new) as n_new,
        count(*) filter (where is_open) as n_open,
        count(*) filter (where is_closed) as n_closed,
        count(*) filter (where is_resolved) as n_resolved,
        count(*) filter (where is_stale) as n_stale,
        count(*) filter (where was_closed) as n_ever_closed,
        count(*) filter (where was_reopened) as n_reopened,
        {{ quantiles('age_hours', [0.5, 0.9]) }} as age_hours,
        {{ quantiles('idle_hours', [0.5, 0.9]) }} as idle_hours
    from standing
    group by all
),

-- Everything is counted, nothing estimated: there is no interval.
counts as (
    {%- for metric, n, value in [
        ('issues_new', 'n_new', 'n_new'),
        ('issues_closed', 'n_closed', 'n_closed'),
        ('backlog', 'n_open', 'n_open'),
        ('backlog_age_median', 'n_open', entry('age_hours', 1)),
        ('backlog_age_p90', 'n_open', entry('age_hours', 2)),
        ('backlog_idle_median', 'n_open', entry('idle_hours', 1)),
        ('backlog_idle_p90', 'n_open', entry('idle_hours', 2)),
    ] %}
    {{ 'union all' if not loop.first }}
    select
        repository,
        period,
        group_name,
        '{{ metric }}' as metric,
        {{ n }} as n,
        {{ value }}::double as value,
        null as ci_low,
        null as ci_high,
        null as n_censored
    from counted
    {%- endfor %}
),

ratios as (
    {%- for metric, part, whole in [
        ('closure_ratio', 'n_closed', '(n_closed + n_open)'),
        ('resolution_ratio', 'n_resolved', '(n_closed + n_open)'),
        ('reopen_rate', 'n_reopened', 'n_ever_closed'),
        ('stale_closed_share', 'n_stale', 'n_closed'),
    ] %}
    {{ 'union all' if not loop.first }}
    select
        repository,
        period,
        group_name,
        '{{ metric }}' as metric,
        {{ whole }} as n,
        {{ part }} / nullif({{ whole }}, 0) as value,
        {{ share_low(part, whole) }} as ci_low,
        {{ share_high(part, whole) }} as ci_high,
        null as n_censored
    from counted
    {%- endfor %}
),

together as (
    select * from waits
    union all
    select * from shares
    union all
    select * from counts
    union all
    select * from ratios
)

select
    repository,
    period,
    group_name as {{ adapter.quote('group') }},
    metric,
    n,
    value,
    ci_low,
    ci_high,
    coalesce(n_censored, 0) as n_censored,
    case
        when value is null and contains(metric, '_within_') then 'not observed for so long'
        when value is null and left(metric, 8) = 'time_to_' then 'not reached'
        when value is null then 'nothing to measure'
    end as reason
from together
