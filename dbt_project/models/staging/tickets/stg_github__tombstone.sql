-- Issues that the source no longer has.
select
    repository || '#' || number as item_id,
    repository,
    number,
    reason,
    seen_at
from {{ source('raw', 'tombstones') }}
