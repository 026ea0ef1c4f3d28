-- How many issues with a word each person has handled, after each day on which that changed.
with handlers as (
    select item_id, login, closed_at::date as day
    from {{ ref('int_issue__handler') }}
),

words as (
    select item_id, repository, word, known_on, gone_on
    from {{ ref('int_issue__word') }}
),

-- What an issue was called, and labelled, when it was closed.
daily as (
    select words.repository, words.word, handlers.login, handlers.day, count(*) as handled
    from handlers
    inner join words on handlers.item_id = words.item_id
    where words.known_on <= handlers.day and (words.gone_on is null or words.gone_on > handlers.day)
    group by words.repository, words.word, handlers.login, handlers.day
)

select
    repository,
    word,
    login,
    day,
    (sum(handled) over until_day)::integer as handled
from daily
window until_day as (partition by repository, word, login order by day rows unbounded preceding)
