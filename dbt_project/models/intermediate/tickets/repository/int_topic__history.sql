-- How earlier issues of the same topic went: one row per instant at which something new was known about it.
-- Topics are small, so speed and share are drawn towards the repository's own mean by the weight of 5 issues.
with topics as (
    select *
    from {{ ref('int_issue__topic') }}
),

resolutions as (
    select *
    from {{ ref('int_issue__resolution') }}
),

decisions as (
    select *
    from {{ ref('int_issue__decision') }}
    where horizon_days = 7
),

-- Decimals, since a sum of doubles depends on their order in the last bit, and the snapshot is named by its hash.
facts as (
    select
        repository,
        item_id,
        item_id || '/opened' as fact_id,
        1 as opened,
        null::decimal(18, 9) as log_hours,
        0 as n_decided,
        0 as n_in_time,
        created_at as known_at
    from resolutions
    union all
    select
        repository,
        item_id,
        item_id || '/resolved' as fact_id,
        0 as opened,
        ln(1 + resolution_hours)::decimal(18, 9) as log_hours,
        0 as n_decided,
        0 as n_in_time,
        labelled_at as known_at
    from resolutions
    where not is_censored
    union all
    select
        repository,
        item_id,
        item_id || '/decided' || weight as fact_id,
        0 as opened,
        null as log_hours,
        weight as n_decided,
        weight * is_resolved_in_time::integer as n_in_time,
        known_at
    from decisions
),

running as (
    select
        facts.repository,
        topics.topic,
        facts.fact_id,
        facts.known_at,
        sum(facts.opened) over topic_until as opened,
        count(facts.log_hours) over topic_until as n_resolved,
        coalesce(sum(facts.log_hours) over topic_until, 0) as sum_log_hours,
        sum(facts.n_decided) over topic_until as n_decided,
        sum(facts.n_in_time) over topic_until as n_in_time,
        avg(facts.log_hours) over repository_until as repository_log_hours,
        sum(facts.n_in_time) over repository_until
        / nullif(sum(facts.n_decided) over repository_until, 0) as repository_share
    from facts
    left join topics on facts.item_id = topics.item_id
    window
        topic_until as (
            partition by facts.repository, topics.topic order by facts.known_at range unbounded preceding
        ),
        repository_until as (partition by facts.repository order by facts.known_at range unbounded preceding)
)

select
    repository,
    topic,
    min(fact_id) as id,
    any_value(opened)::integer as issues_opened,
    any_value(n_resolved)::integer as issues_resolved,
    any_value((sum_log_hours::double + 5 * repository_log_hours) / (n_resolved + 5)) as mean_log_hours,
    any_value((n_in_time + 5 * repository_share) / (n_decided + 5)) as share_resolved_7d,
    known_at as event_timestamp,
    known_at as available_at
from running
where topic is not null
group by repository, topic, known_at
