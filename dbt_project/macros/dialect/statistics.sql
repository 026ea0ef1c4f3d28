-- Aggregates that engines name differently; each may stand before `over` and `filter`.

{% macro running_median(column) -%}
    {{ return(adapter.dispatch('running_median')(column)) }}
{%- endmacro %}

{% macro default__running_median(column) -%}
    median({{ column }})
{%- endmacro %}

-- Its median takes no window.
{% macro spark__running_median(column) -%}
    percentile({{ column }}, 0.5)
{%- endmacro %}

-- The quantiles at some shares, interpolated: a list.
{% macro quantiles(column, shares) -%}
    {{ return(adapter.dispatch('quantiles')(column, shares)) }}
{%- endmacro %}

{% macro default__quantiles(column, shares) -%}
    quantile_cont({{ column }}, {{ shares }})
{%- endmacro %}

{% macro spark__quantiles(column, shares) -%}
    percentile({{ column }}, array({{ shares | join(', ') }}))
{%- endmacro %}

-- The value where `by` is greatest, even if it is null.
{% macro value_at_greatest(column, by) -%}
    {{ return(adapter.dispatch('value_at_greatest')(column, by)) }}
{%- endmacro %}

{% macro default__value_at_greatest(column, by) -%}
    arg_max_null({{ column }}, {{ by }})
{%- endmacro %}

{% macro spark__value_at_greatest(column, by) -%}
    max_by({{ column }}, {{ by }})
{%- endmacro %}

-- The mean to nine places that does not depend on the order of the rows.
{% macro exact_mean(column) -%}
    {{ return(adapter.dispatch('exact_mean')(column)) }}
{%- endmacro %}

{% macro default__exact_mean(column) -%}
    avg(({{ column }})::decimal(28, 9))
{%- endmacro %}

-- Its mean of decimals has four places more than they, too few for small ones.
{% macro spark__exact_mean(column) -%}
    avg(({{ column }})::decimal(28, 9)::double)
{%- endmacro %}
