-- The words of an issue's title and the labels that events say it had, with the day from which they are known.
-- A title is as of the download: edits are not known. Labels of the record carry no time and are not taken.
with issues as (
    select item_id, repository, title, created_at, closed_at
    from {{ ref('int_issue__cleaned') }}
),

title_words as (
    select
        item_id,
        repository,
        unnest(regexp_extract_all(lower(title), '[a-z][a-z0-9_+#./-]{2,30}')) as word,
        created_at::date as day
    from issues
),

label_words as (
    select
        issues.item_id,
        issues.repository,
        'label:' || lower(events.label) as word,
        events.created_at::date as day
    from {{ ref('stg_github__event') }} as events
    inner join issues on events.item_id = issues.item_id
    where
        events.event_type = 'labeled'
        and events.label is not null
        and (issues.closed_at is null or events.created_at < issues.closed_at)
),

words as (
    select *
    from title_words
    union all
    select *
    from label_words
)

select
    item_id,
    repository,
    word,
    min(day) as known_on
from words
where word not in ({{ common_words() }})
group by item_id, repository, word
