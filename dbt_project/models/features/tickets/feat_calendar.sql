-- The clock at T, in UTC. The year is no feature: a model must not learn what ends with its training part.
select
    item_id,
    event_at,
    hour(event_at)::integer as observed_hour,
    {{ iso_weekday('event_at') }}::integer as observed_weekday,
    month(event_at)::integer as observed_month,
    {{ iso_weekday('event_at') }} >= 6 as is_weekend,
    event_at as event_timestamp,
    event_at as available_at
from {{ ref('int_issue__observation') }}
