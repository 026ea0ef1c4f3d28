-- The one place that parses JSON: it costs seconds, and five models read the result.
-- Kept as a table for that reason. Nested names are simplified here so that no later model knows JSON.
{{ config(materialized='table') }}
{% set fields = {
    "id": "BIGINT",
    "title": "VARCHAR",
    "body": "VARCHAR",
    "state": "VARCHAR",
    "state_reason": "VARCHAR",
    "created_at": "VARCHAR",
    "updated_at": "VARCHAR",
    "closed_at": "VARCHAR",
    "user": {"login": "VARCHAR", "type": "VARCHAR"},
    "author_association": "VARCHAR",
    "assignees": [{"login": "VARCHAR", "type": "VARCHAR"}],
    "labels": [{"name": "VARCHAR"}],
    "milestone": {"title": "VARCHAR"},
    "comments": "BIGINT",
    "locked": "BOOLEAN",
    "closed_by": {"login": "VARCHAR", "type": "VARCHAR"},
    "pull_request": "JSON",
    "comments_data": [{
        "user": {"login": "VARCHAR", "type": "VARCHAR"},
        "author_association": "VARCHAR",
        "created_at": "VARCHAR",
        "body": "VARCHAR"
    }],
    "events": [{
        "event": "VARCHAR",
        "created_at": "VARCHAR",
        "actor": {"login": "VARCHAR", "type": "VARCHAR"},
        "assignee": {"login": "VARCHAR", "type": "VARCHAR"},
        "label": "JSON",
        "state_reason": "VARCHAR",
        "commit_id": "VARCHAR"
    }]
} %}

with source as (
    select
        repository,
        number,
        source,
        fetched_at,
        {{ json_record('record', fields) }} as record
    from {{ source('raw', 'issues') }}
)

select
    repository || '#' || number as item_id,
    repository,
    number,
    source,
    {%- for name in fields %}
    record.{{ name }},
    {%- endfor %}
    fetched_at
from source
