with labels as (
    select
        item_id,
        unnest(labels).name as label
    from {{ ref('base_github__record') }}
)

select distinct
    item_id,
    label
from labels
where label is not null and label <> ''
