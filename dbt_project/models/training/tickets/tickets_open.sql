-- Issues that are open at the end of the records and still exist, as a reader knows them: what predictions are for.
-- Whether an issue is open is never a feature, and title, labels and the rest are shown, not learned from, here.
with issues as (
    select item_id, repository, number, title, author_login, created_at
    from {{ ref('int_issue__cleaned') }}
),

observations as (
    select item_id, age_days, event_at
    from {{ ref('int_issue__observation') }}
    where not is_learned_from
),

records as (
    select item_id, source
    from {{ ref('stg_github__issue') }}
),

responses as (
    select item_id, is_known, responded_at
    from {{ ref('int_issue__first_response') }}
),

labels as (
    select
        item_id,
        array_sort(array_agg(label)) as labels
    from {{ ref('stg_github__label') }}
    group by item_id
)

select
    issues.item_id,
    issues.repository,
    issues.number,
    issues.title,
    issues.author_login as author,
    coalesce(labels.labels, {{ list_of([]) }}) as labels,
    observations.age_days,
    -- Made up issues and those of other trackers have no page there.
    records.source <> 'sample' and {{ matches('issues.repository', '^[\\w.-]+/[\\w.-]+$') }} as is_on_github,
    case when responses.is_known then responses.responded_at is not null end as answered,
    case
        when responses.is_known and responses.responded_at is null
            then {{ days_between('issues.created_at', 'observations.event_at') }}
    end as waiting_days,
    issues.created_at,
    observations.event_at as observed_at
from observations
inner join issues on observations.item_id = issues.item_id
inner join responses on observations.item_id = responses.item_id
inner join records on observations.item_id = records.item_id
left join labels on observations.item_id = labels.item_id
