-- Times of which some are censored: Kaplan & Meier (1958), with the variance of Greenwood (1926).
--
-- `relation` has one row per item with the columns of `by`, `hours` and `is_observed`: false where nothing had
-- happened after `hours`, and nobody looked any longer. An event comes before a censoring of the same instant.

-- The curve: one row per instant at which something happened or a look ended, with the limits of the interval of 95 %
-- on the scale of log(-log(survival)), which keeps them between 0 and 1. Null where the formula has none: as long as
-- nothing has happened, and where nothing survives.
{% macro kaplan_meier(relation, by) -%}
    {%- set group = by | join(', ') -%}
    with counted as (
        select
            {{ group }},
            hours,
            count(*) as n_items,
            count(*) filter (where is_observed) as n_events
        from {{ relation }}
        group by all
    ),

    at_risk as (
        select
            *,
            sum(n_items) over (partition by {{ group }} order by hours desc rows unbounded preceding)::bigint
                as n_at_risk
        from counted
    ),

    -- The product is the exponential of a sum, which every engine has as a window. Where nothing survives it is zero,
    -- and so it stays: there is nobody left.
    estimated as (
        select
            *,
            case
                when n_events = n_at_risk then 0.0
                else exp(sum(ln(1 - n_events / nullif(n_at_risk, n_events))) over steps)
            end as survival,
            sqrt(sum(n_events / n_at_risk / nullif(n_at_risk - n_events, 0)) over steps) as relative_error
        from at_risk
        window steps as (partition by {{ group }} order by hours rows unbounded preceding)
    ),

    scaled as (
        select
            *,
            case when survival > 0 and n_at_risk > n_events and relative_error > 0 then ln(survival) end as log_survival
        from estimated
    )

    select
        {{ group }},
        hours,
        n_at_risk,
        n_events,
        n_items - n_events as n_censored,
        survival,
        case when log_survival < 0 then survival * relative_error end as standard_error,
        exp(log_survival * exp(-{{ normal_quantile() }} * relative_error / log_survival)) as ci_low,
        exp(log_survival * exp({{ normal_quantile() }} * relative_error / log_survival)) as ci_high
    from scaled
{%- endmacro %}

-- When the curve has come down to 1 - `share`, over a group of its rows. Where it rests exactly there until the next
-- event, the middle of the two: without censoring the median is that of the items. Null where it never comes down.
{% macro survival_quantile(share) -%}
    (
        min(hours) filter (where survival <= {{ 1 - share }} + 1e-9)
        + coalesce(
            min(hours) filter (where survival < {{ 1 - share }} - 1e-9),
            min(hours) filter (where survival <= {{ 1 - share }} + 1e-9)
        )
    ) / 2
{%- endmacro %}

-- Limits of that instant: when the curve's own limits have come down (Brookmeyer & Crowley 1982); null for never.
{% macro survival_quantile_limit(share, limit) -%}
    min(hours) filter (where {{ limit }} <= {{ 1 - share }} + 1e-9)
{%- endmacro %}

-- Half the width of an interval of 95 % in standard errors.
{% macro normal_quantile() -%}
    1.959963984540054
{%- endmacro %}

-- Limits of the interval of 95 % of a share (Wilson 1927).
{% macro share_low(part, whole) -%}
    case when {{ whole }} > 0 then greatest(0, least({{ part }} / {{ whole }}, {{ wilson_limit(part, whole, '-') }})) end
{%- endmacro %}

{% macro share_high(part, whole) -%}
    case when {{ whole }} > 0 then least(1, greatest({{ part }} / {{ whole }}, {{ wilson_limit(part, whole, '+') }})) end
{%- endmacro %}

-- Rounding may put it beyond the share, or beyond 0 and 1.
{% macro wilson_limit(part, whole, sign) -%}
    {%- set half = "power(" ~ normal_quantile() ~ ", 2) / 2" -%}
    ({{ part }} + {{ half }} {{ sign }} {{ normal_quantile() }}
        * sqrt({{ part }} * ({{ whole }} - {{ part }}) / nullif({{ whole }}, 0) + {{ half }} / 2))
    / ({{ whole }} + 2 * {{ half }})
{%- endmacro %}
