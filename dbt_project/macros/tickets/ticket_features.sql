-- The ages for which chances and intervals are looked at apart.
{% macro age_band(age_days) -%}
    case
        when {{ age_days }} = 0 then 'at creation'
        when {{ age_days }} <= 1 then 'up to 1 day'
        when {{ age_days }} <= 7 then 'up to 7 days'
        when {{ age_days }} <= 30 then 'up to 30 days'
        when {{ age_days }} <= 90 then 'up to 90 days'
        when {{ age_days }} <= 365 then 'up to 365 days'
        else 'over 365 days'
    end
{%- endmacro %}

-- Tickets with all their features: what is learned from and what is asked about has one definition. One row per
-- issue and observation time T that meets the condition, features as known at T, slices for the bias report (never
-- features). The scope is a dbt variable: all tickets, or only closed ones with an assignee.
{% macro ticket_features(condition, with_activity=false) -%}
with observations as (
    select *
    from {{ ref('int_issue__observation') }}
    where {{ condition }}
),

cleaned as (
    select item_id, author_association, is_closed, has_assignee
    from {{ ref('int_issue__cleaned') }}
),

resolutions as (
    select item_id, business_hours
    from {{ ref('int_issue__resolution') }}
),

keywords as (
    select item_id, keywords
    from {{ ref('int_issue__keyword') }}
),

labels as (
    select
        item_id,
        array_sort(array_agg(label)) as labels
    from {{ ref('stg_github__label') }}
    group by item_id
),

assignee_tenures as (
    select item_id, event_at, assignee_tenure_class
    from {{ ref('int_issue__assignee_tenure') }}
),

content as (
    select *
    from {{ ref('feat_issue_content') }}
),

author as (
    select *
    from {{ ref('feat_author_history') }}
),

contributor as (
    select *
    from {{ ref('feat_contributor_history') }}
),

repository as (
    select *
    from {{ ref('feat_repository_state') }}
),

topic as (
    select *
    from {{ ref('feat_topic_history') }}
),

assignee as (
    select *
    from {{ ref('feat_assignee_state') }}
),

calendar as (
    select *
    from {{ ref('feat_calendar') }}
)
{%- if with_activity %},

activity as (
    select *
    from {{ ref('feat_issue_activity') }}
)
{%- endif %}

select
    observations.item_id,
    observations.event_at,
    coalesce(observations.author_login, '(unknown)') as entity_id,
    observations.repository || '|' || {{ iso_week('observations.created_at') }} as group_id,
    content.title_length,
    content.title_words,
    content.title_uppercase_share,
    content.title_has_question,
    content.body_length,
    content.body_words,
    content.body_code_share,
    content.n_code_blocks,
    content.n_inline_code,
    content.n_indented_lines,
    content.n_links,
    content.n_issue_references,
    content.n_mentions,
    content.has_stack_trace,
    content.n_checklist_items,
    content.n_list_items,
    content.n_questions,
    content.n_exclamations,
    content.n_headings,
    content.n_quoted_lines,
    content.n_images,
    content.n_versions,
    content.n_keywords,
    content.n_keywords_language,
    content.n_keywords_failure,
    content.n_keywords_concurrency,
    content.n_keywords_performance,
    content.n_keywords_security,
    content.n_keywords_network,
    content.n_keywords_build,
    content.n_keywords_platform,
    content.n_keywords_writing,
    content.text,
    author.author_issues_opened,
    author.author_issues_closed,
    author.author_pull_requests_opened,
    author.author_comments,
    author.author_share_closed,
    author.author_median_log_hours,
    author.author_share_resolved_7d,
    author.author_days_since_first_seen,
    author.author_days_since_last_seen,
    author.author_days_since_last_issue,
    author.author_is_bot,
    contributor.contributor_issues_opened,
    contributor.contributor_issues_closed,
    contributor.contributor_pull_requests_opened,
    contributor.contributor_comments,
    contributor.contributor_share_closed,
    contributor.contributor_median_log_hours,
    contributor.contributor_share_resolved_7d,
    contributor.contributor_days_since_first_seen,
    contributor.contributor_days_since_last_seen,
    contributor.tenure_class,
    repository.repository,
    repository.repository_open_backlog,
    repository.repository_opened_7d,
    repository.repository_closed_7d,
    repository.repository_opened_30d,
    repository.repository_closed_30d,
    repository.repository_opened_90d,
    repository.repository_closed_90d,
    repository.repository_median_log_hours_90d,
    repository.repository_p90_log_hours_90d,
    repository.repository_share_resolved_1d,
    repository.repository_share_resolved_7d,
    repository.repository_share_resolved_30d,
    repository.repository_share_resolved_90d,
    repository.repository_share_resolved_365d,
    repository.repository_active_people_30d,
    repository.repository_age_days,
    topic.has_topic,
    topic.topic_issues_opened,
    topic.topic_issues_resolved,
    topic.topic_mean_log_hours,
    topic.topic_share_resolved_7d,
    assignee.is_assigned,
    assignee.assignee_open_load,
    assignee.assignee_tickets_closed,
    assignee.assignee_median_log_hours,
    calendar.observed_hour,
    calendar.observed_weekday,
    calendar.observed_month,
    calendar.is_weekend,
    {%- if with_activity %}
    activity.age_days,
    activity.n_comments_author,
    activity.n_comments_member,
    activity.n_comments_other,
    activity.n_comments_bot,
    activity.n_people,
    activity.is_answered_last,
    activity.waiting_days,
    activity.days_since_comment,
    activity.days_since_answer,
    activity.days_since_event,
    activity.days_since_pull_request,
    activity.n_pull_requests,
    activity.n_open_pull_requests,
    activity.n_reopenings,
    activity.n_labels,
    activity.has_milestone,
    activity.was_called_severe,
    {{ age_band('observations.age_days') }} as slice_age,
    {%- endif %}
    observations.repository as slice_repo,
    contributor.tenure_class as slice_seniority,
    coalesce(assignee_tenures.assignee_tenure_class, 'unknown') as slice_assignee_seniority,
    coalesce(cleaned.author_association, 'unknown') as slice_author_association,
    coalesce(labels.labels, {{ list_of([]) }}) as slice_label,
    keywords.keywords as slice_keyword,
    {{ completion_time('resolutions.business_hours') }} as slice_completion_time,
    year(observations.event_at)::string as slice_period
from observations
inner join cleaned on observations.item_id = cleaned.item_id
inner join resolutions on observations.item_id = resolutions.item_id
inner join keywords on observations.item_id = keywords.item_id
inner join content on observations.item_id = content.item_id
inner join author
    on observations.item_id = author.item_id and observations.event_at = author.event_at
inner join contributor
    on observations.item_id = contributor.item_id and observations.event_at = contributor.event_at
inner join repository
    on observations.item_id = repository.item_id and observations.event_at = repository.event_at
inner join topic
    on observations.item_id = topic.item_id and observations.event_at = topic.event_at
inner join assignee
    on observations.item_id = assignee.item_id and observations.event_at = assignee.event_at
inner join calendar
    on observations.item_id = calendar.item_id and observations.event_at = calendar.event_at
{%- if with_activity %}
inner join activity
    on observations.item_id = activity.item_id and observations.event_at = activity.event_at
{%- endif %}
left join labels on observations.item_id = labels.item_id
left join assignee_tenures
    on observations.item_id = assignee_tenures.item_id and observations.event_at = assignee_tenures.event_at
where {{ in_ticket_scope() }}
{%- endmacro %}
