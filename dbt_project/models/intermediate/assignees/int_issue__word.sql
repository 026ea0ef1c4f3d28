-- The words of an issue's title and the labels that events say it had, with the days from which and until which
-- they are known. A title is as of the download: edits are not known. Labels of the record carry no time and are
-- not taken.
with issues as (
    select item_id, repository, title, created_at
    from {{ ref('int_issue__cleaned') }}
),

title_words as (
    select distinct
        item_id,
        repository,
        {{ each(all_matches('lower(title)', '[a-z][a-z0-9_+#./-]{2,30}')) }} as word,
        created_at::date as known_on,
        null::date as gone_on
    from issues
),

label_words as (
    select
        issues.item_id,
        issues.repository,
        'label:' || lower(intervals.label) as word,
        intervals.labeled_at::date as known_on,
        max(coalesce(intervals.unlabeled_at::date, date '9999-12-31')) as gone_on
    from {{ ref('int_issue__label_interval') }} as intervals
    inner join issues on intervals.item_id = issues.item_id
    group by issues.item_id, issues.repository, lower(intervals.label), intervals.labeled_at::date
)

select
    item_id,
    repository,
    word,
    false as is_label,
    known_on,
    gone_on
from title_words
where word not in ({{ common_words() }})
union all
select
    item_id,
    repository,
    word,
    true as is_label,
    known_on,
    nullif(gone_on, date '9999-12-31') as gone_on
from label_words
