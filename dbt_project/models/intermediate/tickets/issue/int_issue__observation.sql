-- The spine: which issue is looked at when. At its creation; again at fixed ages as long as it was open then, which
-- is what a closing's chance given the age is learned from; and at the end of the records if it is open, which is
-- what is asked about.
-- Most issues end young: of the early ages each issue is seen at every second one, in turns by its number, which has
-- nothing to do with how it ends. So all ages are seen without bias, for half of the rows.
-- Who is observed until its creation only (see int_issue__resolution) is seen then and never again.
{% set early, late = var('early_ages_days'), var('late_ages_days') %}

with issues as (
    select item_id, repository, number, author_login, is_closed, created_at
    from {{ ref('int_issue__cleaned') }}
),

resolutions as (
    select item_id, closed_at, observed_until
    from {{ ref('int_issue__resolution') }}
),

-- The age of a repository's open issues is counted to the newest time in its own records; clocks that run ahead tell
-- of nothing later than the download.
observed as (
    select repository, least(last_seen_at, last_fetched_at) as last_seen_at
    from {{ ref('int_repository__observed') }}
),

vanished as (
    select item_id
    from {{ ref('int_issue__vanished') }}
),

-- Whether an issue was open at T is as known then: it may have been closed and reopened since.
states as (
    select
        item_id,
        known_at,
        max_by(event, position) = 'closed' as is_closed
    from {{ ref('int_issue__event') }}
    where event in ('closed', 'reopened')
    group by item_id, known_at
),

ages as (
    {%- for age in early %}
    select {{ age }} as age_days, {{ loop.index0 }} as turn
    union all
    {%- endfor %}
    select late.age_days, null as turn
    from {{ rows_of(late) }} as late (age_days)
),

aged as (
    select
        issues.item_id,
        issues.created_at + ages.age_days * interval '1 day' as event_at,
        resolutions.closed_at,
        resolutions.observed_until
    from issues
    inner join ages on ages.turn is null or (issues.number + ages.turn) % {{ var('every_early_age') }} = 0
    inner join resolutions on issues.item_id = resolutions.item_id
),

looked_at as (
    select item_id, created_at as event_at, true as is_learned_from
    from issues
    union all
    select aged.item_id, aged.event_at, true as is_learned_from
    from aged
    {{ asof_join('states', on=['aged.item_id = states.item_id'], until='aged.event_at >= states.known_at') }}
    where
        aged.event_at <= aged.observed_until
        and (aged.closed_at is null or aged.event_at < aged.closed_at)
        and states.is_closed is distinct from true
    union all
    -- The instant after the newest record, which thereby counts.
    select
        issues.item_id,
        greatest(observed.last_seen_at, issues.created_at) + interval '1 microsecond' as event_at,
        false as is_learned_from
    from issues
    inner join observed on issues.repository = observed.repository
    left join vanished on issues.item_id = vanished.item_id
    where not issues.is_closed and vanished.item_id is null
)

select
    issues.item_id,
    issues.repository,
    issues.author_login,
    {{ days_between('issues.created_at', 'looked_at.event_at') }} as age_days,
    looked_at.is_learned_from,
    issues.created_at,
    looked_at.event_at
from looked_at
inner join issues on looked_at.item_id = issues.item_id
