-- What share of the tickets has been answered and closed some days after their creation, the censored ones accounted
-- for. Null where nobody was looked at for so long: a curve says nothing beyond its end.
with survival as (
    select *
    from {{ ref('int_service__survival') }}
    where metric <> 'time_to_close_first'
),

shares as (
    {%- for days in var('service_days') %}
    {{ 'union all' if not loop.first }}
    select
        repository,
        period,
        group_name,
        {{ share_name('metric', days) }} as metric,
        max(n_at_risk) as n,
        coalesce(sum(n_censored) filter (where hours < {{ days * 24 }}), 0)::bigint as n_censored,
        max(hours) >= {{ days * 24 }} or min(survival) = 0 as is_known,
        coalesce(max_by(survival, hours) filter (where hours <= {{ days * 24 }}), 1) as survival,
        {{ value_at_greatest('standard_error', 'hours') }} filter (where hours <= {{ days * 24 }}) as standard_error,
        {{ value_at_greatest('ci_low', 'hours') }} filter (where hours <= {{ days * 24 }}) as survival_low,
        {{ value_at_greatest('ci_high', 'hours') }} filter (where hours <= {{ days * 24 }}) as survival_high
    from survival
    group by all
    {%- endfor %}
)

select
    repository,
    period,
    group_name,
    metric,
    n,
    n_censored,
    case when is_known then 1 - survival end as value,
    case when is_known then standard_error end as standard_error,
    case when is_known then 1 - survival_high end as ci_low,
    case when is_known then 1 - survival_low end as ci_high
from shares
