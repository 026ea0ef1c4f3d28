-- The labels of the tickets seen at their creation hold for all their observations: the time counts from the creation.
select
    item_id,
    y,
    is_censored,
    observed_until,
    relevance,
    weight,
    labelled_at
from {{ ref('label_tickets') }}
