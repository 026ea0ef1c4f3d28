-- Times, which are UTC and have no zone.

-- Seconds since 1970, with their fraction.
{% macro epoch_seconds(instant) -%}
    {{ return(adapter.dispatch('epoch_seconds')(instant)) }}
{%- endmacro %}

{% macro default__epoch_seconds(instant) -%}
    epoch({{ instant }})
{%- endmacro %}

{% macro spark__epoch_seconds(instant) -%}
    (unix_micros(({{ instant }})::timestamp) / 1e6)
{%- endmacro %}

-- From 1 for Monday to 7 for Sunday.
{% macro iso_weekday(instant) -%}
    {{ return(adapter.dispatch('iso_weekday')(instant)) }}
{%- endmacro %}

{% macro default__iso_weekday(instant) -%}
    isodow({{ instant }})
{%- endmacro %}

{% macro spark__iso_weekday(instant) -%}
    (weekday({{ instant }}) + 1)
{%- endmacro %}

-- ISO 8601 text to a UTC timestamp; null where it is no time. A direct cast to timestamp would silently drop an
-- offset. Loading rejects records whose own times are none; what hangs on a record is not checked there.
{% macro utc_timestamp(column) -%}
    {{ return(adapter.dispatch('utc_timestamp')(column)) }}
{%- endmacro %}

{% macro default__utc_timestamp(column) -%}
    cast(try_cast({{ column }} as timestamptz) at time zone 'UTC' as timestamp)
{%- endmacro %}

-- The session's time zone is UTC.
{% macro spark__utc_timestamp(column) -%}
    cast(try_cast({{ column }} as timestamp_ltz) as timestamp_ntz)
{%- endmacro %}
