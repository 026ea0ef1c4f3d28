-- How urgent an issue proved to be: the graded relevance of rankings.

-- Whether a label of the record calls an issue severe: it crashes, loses data, is a security hole or a regression,
-- holds up a release, or has a high priority. Whole words in any spelling: `I-crash`, `prio:high`, `Data loss`, `P1`.
-- Labels are as of the crawl, many of them set later: for labels of the training only, never for a feature.
{% macro is_severe_label(label) -%}
    {{ matches(
        'lower(' ~ label ~ ')',
        '(?:^|[^a-z0-9])(?:'
        ~ 'crash(?:es)?|ice|panics?|segfault|hang|deadlock|unsound|(?:data[-_ ]?)?(?:loss|corruption)'
        ~ '|security|vulnerability|cve|regression|critical|urgent|(?:release[-_ ]?)?blocker|showstopper'
        ~ '|p[-_ ]?[01]|p[-_ ]high|(?:prio|priority|severity)[-_:/ ]*(?:high|highest|[01])'
        ~ '|(?:high|highest|top)[-_ ](?:prio|priority|severity)'
        ~ ')(?:[^a-z0-9]|$)'
    ) }}
{%- endmacro %}

-- The grade, an integer because learners of rankings take no other: 3 when resolved within 1 day, 2 within 7, 1 within
-- `triage_days`, and one more if the issue is severe; 0 otherwise. It is settled so many days after the creation, and
-- not before.
{% macro triage_grade(resolution_hours, is_severe) -%}
    case
        when {{ resolution_hours }} <= 24 then 3 + ({{ is_severe }})::integer
        when {{ resolution_hours }} <= 24 * 7 then 2 + ({{ is_severe }})::integer
        when {{ resolution_hours }} <= 24 * {{ var('triage_days') }} then 1 + ({{ is_severe }})::integer
        else 0
    end
{%- endmacro %}
