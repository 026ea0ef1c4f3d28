-- Issues that are open at the end of the records: what predictions are for. Whether an issue is open is never
-- a feature.
select
    item_id,
    repository,
    number
from {{ ref('int_issue__cleaned') }}
where not is_closed
