-- What the scorers of answers read: the issues whose comments are known, at their creation.
with tickets as (
    {{ ticket_features('age_days = 0') | indent(4) }}
),

history as (
    select *
    from {{ ref('feat_response_history') }}
),

responses as (
    select item_id
    from {{ ref('int_issue__first_response') }}
    where is_known
)

select
    tickets.*,
    history.repository_answered,
    history.repository_mean_log_response_hours,
    history.repository_share_answered_1d,
    history.repository_share_answered_2d,
    history.repository_share_answered_7d,
    history.recent_answered,
    history.recent_mean_log_response_hours,
    history.recent_share_answered_1d,
    history.recent_share_answered_2d,
    history.recent_share_answered_7d,
    history.hour_answered,
    history.hour_mean_log_response_hours,
    history.hour_share_answered_1d,
    history.hour_share_answered_2d,
    history.hour_share_answered_7d,
    history.author_answered,
    history.author_mean_log_response_hours,
    history.author_share_answered_1d,
    history.author_share_answered_2d,
    history.author_share_answered_7d,
    history.recent_opened,
    history.repository_hours_since_answer
from tickets
inner join responses on tickets.item_id = responses.item_id
inner join history on tickets.item_id = history.item_id
