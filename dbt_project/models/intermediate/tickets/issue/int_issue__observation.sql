-- The spine: which issue is looked at when. Today once, at its creation; later observation times (still open
-- after 1, 7, 30 … days) are more rows here and nothing else.
select
    item_id,
    repository,
    author_login,
    created_at as event_at
from {{ ref('int_issue__cleaned') }}
