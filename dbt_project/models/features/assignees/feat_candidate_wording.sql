-- How much the issue's words are the person's: of the handled issues that share a word with it, the part that was
-- theirs. A share per word is drawn towards 0 by the weight of 2 issues, and known before the day of T.
with candidates as (
    select item_id, question_id, repository, login, day, event_at
    from {{ ref('int_assignment__candidate') }}
),

questions as (
    select distinct question_id, repository, day
    from candidates
),

histories as (
    select repository, word, login, day, handled
    from {{ ref('int_person__word_history') }}
),

changes as (
    select
        repository,
        word,
        day,
        handled - lag(handled, 1, 0) over (partition by repository, word, login order by day) as handled
    from histories
),

totals as (
    select
        repository,
        word,
        day,
        sum(sum(handled)) over (partition by repository, word order by day rows unbounded preceding) as handled
    from changes
    group by repository, word, day
),

words as (
    select
        questions.question_id,
        questions.repository,
        questions.day,
        words.word
    from questions
    inner join {{ ref('int_issue__word') }} as words on questions.question_id = words.item_id
    -- The title is there from the start; of a label at least its day must be over.
    where
        not words.is_label
        or (words.known_on < questions.day and (words.gone_on is null or words.gone_on >= questions.day))
),

known_words as (
    select
        words.question_id,
        words.repository,
        words.day,
        words.word,
        totals.handled
    from words
    {{ asof_join(
        'totals',
        on=['words.repository = totals.repository', 'words.word = totals.word'],
        until='words.day > totals.day',
        kind='inner'
    ) | indent(4) }}
),

users as (
    select distinct repository, word, login
    from histories
),

shared as (
    select
        candidates.item_id,
        candidates.repository,
        candidates.login,
        candidates.day,
        known_words.word,
        known_words.handled
    from candidates
    inner join known_words on candidates.question_id = known_words.question_id
    inner join users
        on
            candidates.repository = users.repository
            and known_words.word = users.word
            and candidates.login = users.login
),

shares as (
    select
        shared.item_id,
        -- Decimals: a sum of doubles depends on their order in the last bit, and the snapshot is named by its hash.
        (histories.handled / (shared.handled + 2))::decimal(18, 9) as share
    from shared
    {{ asof_join(
        'histories',
        on=[
            'shared.repository = histories.repository',
            'shared.word = histories.word',
            'shared.login = histories.login',
        ],
        until='shared.day > histories.day',
        kind='inner'
    ) | indent(4) }}
),

affinities as (
    select
        item_id,
        sum(share) as word_affinity,
        max(share) as word_affinity_max,
        count(*) as words_shared
    from shares
    group by item_id
)

select
    candidates.item_id,
    candidates.event_at,
    coalesce(affinities.word_affinity, 0)::double as word_affinity,
    coalesce(affinities.word_affinity_max, 0)::double as word_affinity_max,
    coalesce(affinities.words_shared, 0)::integer as words_shared,
    affinities.word_affinity::double
    / nullif((sum(affinities.word_affinity) over (partition by candidates.question_id))::double, 0)
        as word_affinity_share,
    rank() over (partition by candidates.question_id order by coalesce(affinities.word_affinity, 0) desc)::integer
        as word_affinity_place
from candidates
left join affinities on candidates.item_id = affinities.item_id
