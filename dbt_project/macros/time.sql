-- Time arithmetic. All times are UTC.

{% macro hours_between(start_at, end_at) -%}
    ({{ epoch_seconds(end_at) }} - {{ epoch_seconds(start_at) }}) / 3600
{%- endmacro %}

{% macro days_between(start_at, end_at) -%}
    ({{ epoch_seconds(end_at) }} - {{ epoch_seconds(start_at) }}) / 86400
{%- endmacro %}

-- Midnight after an instant: when the facts of its UTC day are complete.
{% macro end_of_day(instant) -%}
    date_trunc('day', {{ instant }})::timestamp + interval '1 day'
{%- endmacro %}

-- The last instant of a UTC day: what happened on it is known then, and "before the next day" includes it.
{% macro last_instant(day) -%}
    {{ day }} + interval '1 day' - interval '1 microsecond'
{%- endmacro %}

-- Hours of Monday to Friday between two instants. Counted from Monday 1970-01-05, an instant has seen
-- 120 weekday hours per whole week and at most 120 of the week that it lies in.
{% macro weekday_hours(start_at, end_at) -%}
    {{ weekday_hours_since_epoch(end_at) }} - {{ weekday_hours_since_epoch(start_at) }}
{%- endmacro %}

{% macro weekday_hours_since_epoch(instant) -%}
    {%- set hours = "((" ~ epoch_seconds(instant) ~ " - 345600) / 3600)" -%}
    (floor({{ hours }} / 168) * 120 + least({{ hours }} - floor({{ hours }} / 168) * 168, 120))
{%- endmacro %}

-- The ISO week of an instant, such as 2024-W01: it belongs to the year of its Thursday.
{% macro iso_week(instant) -%}
    year(date_trunc('week', {{ instant }}) + interval '3 days')
    || '-W' || lpad(weekofyear({{ instant }})::string, 2, '0')
{%- endmacro %}

-- Whether an instant can be meant: trackers are not older, and nobody knows what comes after the landing.
{% macro is_plausible(instant, landed_at) -%}
    {{ instant }} between timestamp '{{ var("first_plausible_day") }}'
    and {{ landed_at }} + interval '{{ var("landing_grace_days") }} days'
{%- endmacro %}

-- The classes of the earlier system, by business hours from creation to resolution.
{% macro completion_time(business_hours) -%}
    case
        when {{ business_hours }} < 5 then 'fast'
        when {{ business_hours }} < 24 then 'medium'
        when {{ business_hours }} is not null then 'slow'
        else 'unknown'
    end
{%- endmacro %}
