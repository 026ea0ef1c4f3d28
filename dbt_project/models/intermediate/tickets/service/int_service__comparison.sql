-- Newcomers beside members and regulars of their repository: the difference of what share was answered or closed in
-- time, where both groups are large enough, and its standard error.
-- One person's tickets share a fate, so that Greenwood's formula would promise too much. With d events among r at risk,
-- the influence of a ticket on the survival S at H is S * (sum of d / r / (r - d) until the end of its wait or H, less
-- 1 / (r - d) there if it ended by then); influences are summed by author (Liang & Zeger 1986), with G / (G - 1).
with shares as (
    select *
    from {{ ref('int_service__share') }}
    where
        value is not null
        and n >= {{ var('service_group_minimum') }}
        and group_name in ('newcomer', 'regular', 'member')
),

curves as (
    select
        *,
        sum(n_events / n_at_risk / nullif(n_at_risk - n_events, 0)) over (
            partition by repository, period, group_name, metric order by hours rows unbounded preceding
        ) as spent
    from {{ ref('int_service__survival') }}
    where group_name in ('newcomer', 'regular', 'member') and metric <> 'time_to_close_first'
),

waits as (
    select
        waits.repository,
        periods.period,
        groups.group_name,
        waits.metric,
        waits.hours,
        waits.is_observed,
        coalesce(lower(issues.author_login), waits.item_id) as author
    from {{ ref('int_service__wait') }} as waits
    inner join {{ ref('int_issue__cleaned') }} as issues on waits.item_id = issues.item_id
    inner join {{ ref('int_issue__group') }} as groups on waits.item_id = groups.item_id
    inner join {{ ref('int_repository__period') }} as periods
        on waits.repository = periods.repository and waits.created_at between periods.starts_at and periods.ends_at
),

horizons as (
    select service.days * 24 as horizon
    from {{ rows_of(var('service_days')) }} as service (days)
),

ends as (
    select
        curves.repository,
        curves.period,
        curves.group_name,
        curves.metric,
        horizons.horizon,
        max(curves.n_at_risk) as n,
        max(curves.spent) as spent,
        min(curves.survival) as survival
    from curves
    inner join horizons on curves.hours <= horizons.horizon
    group by all
),

influences as (
    select
        ends.repository,
        ends.period,
        ends.group_name,
        {{ share_name('ends.metric', '(ends.horizon / 24)::integer') }} as metric,
        waits.author,
        ends.n,
        {{ exact_sum("""
            ends.n * nullif(ends.survival, 0) * case
                when waits.hours <= ends.horizon
                    then curves.spent - waits.is_observed::integer / (curves.n_at_risk - curves.n_events)
                else ends.spent
            end
        """) }} as influence
    from waits
    inner join curves
        on
            waits.repository = curves.repository
            and waits.period = curves.period
            and waits.group_name = curves.group_name
            and waits.metric = curves.metric
            and waits.hours = curves.hours
    inner join ends
        on
            waits.repository = ends.repository
            and waits.period = ends.period
            and waits.group_name = ends.group_name
            and waits.metric = ends.metric
    group by all
),

judged as (
    select
        shares.repository,
        shares.period,
        shares.metric,
        shares.group_name,
        shares.n,
        shares.value,
        count(*) as n_authors,
        {{ exact_sum('power(influences.influence, 2)') }} / power(any_value(influences.n), 2)
        * count(*) / nullif(count(*) - 1, 0) as variance
    from shares
    inner join influences
        on
            shares.repository = influences.repository
            and shares.period = influences.period
            and shares.metric = influences.metric
            and shares.group_name = influences.group_name
    group by all
)

select
    newcomers.repository,
    newcomers.period,
    newcomers.metric,
    newcomers.group_name,
    others.group_name as reference,
    newcomers.n,
    others.n as n_reference,
    least(newcomers.n_authors, others.n_authors) as n_authors,
    newcomers.value - others.value as value,
    sqrt(newcomers.variance + others.variance) as standard_error
from judged as newcomers
inner join judged as others
    on
        newcomers.repository = others.repository
        and newcomers.period = others.period
        and newcomers.metric = others.metric
        and others.group_name in ('member', 'regular')
where newcomers.group_name = 'newcomer'
