-- A comment without a time, or with one that cannot be, says nothing that could be used at one.
with comments as (
    select
        item_id,
        repository,
        fetched_at,
        {{ each_with_position('comments_data', 'comment') | indent(8) }}
    from {{ ref('base_github__record') }}
)

select
    item_id,
    repository,
    position,
    nullif(comment.user.login, '') as author_login,
    nullif(comment.author_association, '') as author_association,
    {{ clean_text('comment.body') }} as body,
    {{ utc_timestamp('comment.created_at') }} as created_at
from comments
where {{ is_plausible(utc_timestamp('comment.created_at'), 'fetched_at') }}
