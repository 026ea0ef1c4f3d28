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
        count(*) filter (is_new) as n_new,
        count(*) filter (is_open) as n_open,
        count(*) filter (is_closed) as n_closed,
        count(*) filter (is_resolved) as n_resolved,
        count(*) filter (is_stale) as n_stale,
        count(*) filter (was_closed) as n_ever_closed,
        count(*) filter (was_reopened) as n_reopened,
        quantile_cont(age_hours, [0.5, 0.9]) as age_hours,
        quantile_cont(idle_hours, [0.5, 0.9]) as idle_hours
    from standing
    group by all
),

-- Everything is counted, nothing estimated: there is no interval.
counts as (
    {%- for metric, n, value in [
        ('issues_new', 'n_new', 'n_new'),
        ('issues_closed', 'n_closed', 'n_closed'),
        ('backlog', 'n_open', 'n_open'),
        ('backlog_age_median', 'n_open', 'age_hours[1]'),
        ('backlog_age_p90', 'n_open', 'age_hours[2]'),
        ('backlog_idle_median', 'n_open', 'idle_hours[1]'),
        ('backlog_idle_p90', 'n_open', 'idle_hours[2]'),
    ] %}
    {{ 'union all' if not loop.first }}
    select
        repository,
        period,
        group_name,
        '{{ metric }}' as metric,
        {{ n }} as n,
        {{ value }}::double as value
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
        {{ share_high(part, whole) }} as ci_high
    from counted
    {%- endfor %}
),

together as (
    from waits
    union all by name
    from shares
    union all by name
    from counts
    union all by name
    from ratios
)

select
    repository,
    period,
    group_name as "group",
    metric,
    n,
    value,
    ci_low,
    ci_high,
    coalesce(n_censored, 0) as n_censored,
    case
        when value is null and metric like '%\_within\_%' escape '\' then 'not observed for so long'
        when value is null and metric like 'time\_to\_%' escape '\' then 'not reached'
        when value is null then 'nothing to measure'
    end as reason
from together
