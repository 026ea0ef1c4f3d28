-- Candidates with all their features: what the ranker of people learns from and is asked about has one definition.
{% macro candidate_features(condition) -%}
with candidates as (
    select *
    from {{ ref('int_assignment__candidate') }}
    where {{ condition }}
),

activity as (
    select *
    from {{ ref('feat_candidate_activity') }}
),

affinity as (
    select *
    from {{ ref('feat_candidate_affinity') }}
),

wording as (
    select *
    from {{ ref('feat_candidate_wording') }}
)

select
    candidates.item_id,
    candidates.event_at,
    candidates.login as entity_id,
    candidates.question_id as group_id,
    activity.acts_30d,
    activity.acts_180d,
    activity.comments_180d,
    activity.pull_requests_180d,
    activity.acts_share_30d,
    activity.acts_share_180d,
    activity.comments_share_180d,
    activity.pull_requests_share_180d,
    activity.acts_place_180d,
    activity.people_seen,
    activity.acts_ever,
    activity.days_since_first_seen,
    activity.days_since_last_seen,
    activity.handled_30d,
    activity.handled_180d,
    activity.handled_share_30d,
    activity.handled_share_90d,
    activity.handled_share_180d,
    activity.handled_place_180d,
    activity.handled_ever,
    activity.days_since_handled,
    activity.median_log_hours,
    activity.open_involved,
    activity.open_assigned,
    affinity.is_author,
    affinity.is_mentioned,
    affinity.author_handled,
    affinity.author_handled_share,
    affinity.topic_handled,
    affinity.topic_handled_share,
    affinity.topic_median_log_hours,
    wording.word_affinity,
    wording.word_affinity_max,
    wording.words_shared,
    wording.word_affinity_share,
    wording.word_affinity_place,
    candidates.repository as slice_repo,
    {{ tenure_class('candidates.login', 'activity.acts_ever', 'activity.days_since_first_seen') }} as slice_seniority,
    case when affinity.is_author then 'author' else 'other' end as slice_own_ticket
from candidates
inner join activity on candidates.item_id = activity.item_id
inner join affinity on candidates.item_id = affinity.item_id
inner join wording on candidates.item_id = wording.item_id
{%- endmacro %}
