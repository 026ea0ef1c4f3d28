-- When each issue was first answered by a person other than its author, or how long it was seen to wait.
with tickets as (
    select distinct item_id
    from {{ ref('train_response') }}
)

select
    responses.item_id,
    {{ hours_between('responses.created_at', 'responses.responded_at') }} as y,
    responses.responded_at is null as is_censored,
    responses.observed_until,
    null::integer as relevance,
    1.0::double as weight,
    responses.known_at as labelled_at
from {{ ref('int_issue__first_response') }} as responses
inner join tickets on responses.item_id = tickets.item_id
