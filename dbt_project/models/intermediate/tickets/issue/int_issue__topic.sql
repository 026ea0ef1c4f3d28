-- The part of a project that a title names first: "net/http: …", "cmd/go, net: …" (the first counts) or
-- "[lexer] …". Titles without such a prefix have no topic.
with issues as (
    select item_id, repository, title
    from {{ ref('int_issue__cleaned') }}
),

prefixes as (
    select
        item_id,
        repository,
        coalesce(
            nullif(regexp_extract(title, '^\s*\[([^\]]{1,40})\]', 1), ''),
            nullif(regexp_extract(title, '^\s*([\w./+-]{1,40})(?:, ?[\w./+-]{1,40})*:\s', 1), '')
        ) as prefix
    from issues
)

select
    item_id,
    repository,
    lower(trim(prefix)) as topic
from prefixes
where trim(prefix) <> ''
