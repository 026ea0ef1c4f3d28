with labels as (
    select
        item_id,
        {{ each('labels') }} as label
    from {{ ref('base_github__record') }}
)

select distinct
    item_id,
    label.name as label
from labels
where label.name <> ''
