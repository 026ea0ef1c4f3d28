-- Every question with the people who may be proposed for it: the day's list, and the author where seen before.
with questions as (
    select *
    from {{ ref('int_assignment__question') }}
),

people as (
    select repository, day, login, is_listed
    from {{ ref('int_assignment__person_day') }}
)

select
    questions.item_id || '|' || people.login as item_id,
    questions.item_id as question_id,
    questions.repository,
    people.login,
    questions.author_login,
    questions.topic,
    people.day,
    coalesce(questions.author_login = people.login, false) as is_author,
    array_contains(questions.mentioned_logins, lower(people.login)) as is_mentioned,
    questions.is_answered,
    questions.asked_at as event_at
from questions
inner join people
    on questions.repository = people.repository and questions.asked_at::date = people.day
where people.is_listed or questions.author_login = people.login
