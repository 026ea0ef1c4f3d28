-- Which pull requests an issue is linked to, since when: where the text of one names the other, once both exist.
-- Texts are as of the crawl, but a reference that an edit put in later cannot be told apart.
with records as (
    select item_id, repository, number, is_pull_request, title, body, created_at, closed_at
    from {{ ref('stg_github__issue') }}
),

texts as (
    select item_id, repository, concat_ws(' ', title, body) as text, created_at as written_at
    from records
    union all
    select item_id, repository, body as text, created_at as written_at
    from {{ ref('stg_github__comment') }}
),

named as (
    select item_id, repository, written_at, {{ each(issue_references(prose('text'))) }} as reference
    from texts
),

split as (
    select
        item_id,
        repository,
        written_at,
        regexp_extract(reference, '([\w.-]+/[\w.-]+)(?:#|/issues/|/pull/)', 1) as named_repository,
        regexp_extract(reference, '([0-9]{1,9})$', 1)::bigint as number
    from named
),

pairs as (
    select
        writers.is_pull_request as is_named_by_pull_request,
        writers.item_id as writer_id,
        others.item_id as other_id,
        greatest(split.written_at, others.created_at) as linked_at
    from split
    inner join records as writers on split.item_id = writers.item_id
    inner join records as others
        on
            split.number = others.number
            and coalesce(nullif(split.named_repository, ''), split.repository) = others.repository
            and writers.is_pull_request <> others.is_pull_request
),

links as (
    select
        case when is_named_by_pull_request then other_id else writer_id end as item_id,
        case when is_named_by_pull_request then writer_id else other_id end as pull_request_id,
        min(linked_at) as linked_at
    from pairs
    group by all
)

select
    links.item_id,
    links.pull_request_id,
    links.linked_at,
    case when records.closed_at > links.linked_at then records.closed_at end as pull_request_closed_at
from links
inner join records on links.pull_request_id = records.item_id
