-- Regular expressions as RE2 reads them: letters, digits and word boundaries are those of ASCII. A quote in one is
-- written \x27.

{% macro matches(column, pattern) -%}
    {{ return(adapter.dispatch('matches')(column, pattern)) }}
{%- endmacro %}

{% macro default__matches(column, pattern) -%}
    regexp_matches({{ column }}, '{{ pattern }}')
{%- endmacro %}

{% macro spark__matches(column, pattern) -%}
    regexp_like({{ column }}, '{{ java_pattern(pattern) }}')
{%- endmacro %}

{% macro count_matches(column, pattern) -%}
    {{ return(adapter.dispatch('count_matches')(column, pattern)) }}
{%- endmacro %}

{% macro default__count_matches(column, pattern) -%}
    len(regexp_extract_all({{ column }}, '{{ pattern }}'))
{%- endmacro %}

{% macro spark__count_matches(column, pattern) -%}
    regexp_count({{ column }}, '{{ java_pattern(pattern) }}')
{%- endmacro %}

-- What matches, or the part of it that is the group of this number.
{% macro all_matches(column, pattern, group=0) -%}
    {{ return(adapter.dispatch('all_matches')(column, pattern, group)) }}
{%- endmacro %}

{% macro default__all_matches(column, pattern, group) -%}
    regexp_extract_all({{ column }}, '{{ pattern }}', {{ group }})
{%- endmacro %}

{% macro spark__all_matches(column, pattern, group) -%}
    regexp_extract_all({{ column }}, '{{ java_pattern(pattern) }}', {{ group }})
{%- endmacro %}

{% macro replace_matches(column, pattern, replacement) -%}
    {{ return(adapter.dispatch('replace_matches')(column, pattern, replacement)) }}
{%- endmacro %}

{% macro default__replace_matches(column, pattern, replacement) -%}
    regexp_replace({{ column }}, '{{ pattern }}', '{{ replacement }}', 'g')
{%- endmacro %}

{% macro spark__replace_matches(column, pattern, replacement) -%}
    regexp_replace({{ column }}, '{{ java_pattern(pattern) }}', '{{ replacement }}')
{%- endmacro %}

-- Java's lines end with more than \n, its \b knows the letters of all languages, and its (?i) those of ASCII alone.
{% macro java_pattern(pattern) -%}
    (?d){{ pattern | replace('\\b', '(?:(?<=\\w)(?!\\w)|(?<!\\w)(?=\\w))') | replace('(?i', '(?iu') }}
{%- endmacro %}
