-- Technical keywords in title and body, as whole tokens. A token may hold inner dots (main.go is a file, not a
-- language) and end in ++ or #; so c++ is found before 11 and c# is not found in foo.c#12.
-- Addresses are taken out first: their words are not the author's.
{{ by_key('item_id', ['int_issue__cleaned']) }}

with issues as (
    select
        item_id,
        left({{ replace_matches("concat_ws(' ', title, body)", 'https?://\\S+', ' ') }}, {{ var('text_characters') }})
            as text
    from {{ of_changed(ref('int_issue__cleaned')) }}
),

tokenised as (
    select
        item_id,
        array_distinct(
            {{ all_matches('lower(text)', '\\.net|[a-z0-9_]+(?:\\.[a-z0-9_]+)*(?:\\+\\+|#)?') }}
        ) as tokens,
        -- The language, not the verb: its long name, a version, a capital after a preposition, or one of the
        -- words that only follow the language or its command.
        {{ matches(
            'text',
            '(?i:\\bgolang\\b)|\\b[Gg]o ?1\\.[0-9]|\\b(?i:in|with|using|for|the|of|from) Go\\b'
            ~ '|\\bGo (?i:language|code|programs?|compiler|runtime|modules?|packages?|routines?|toolchain|source)\\b'
            ~ '|\\bgo (?:vet|fmt|mod|env|version|build)\\b|`go [a-z]+'
        ) }} as is_about_go
    from issues
)

select
    item_id,
    {{ list_where(
        keyword_list(),
        'keyword',
        "case when keyword = 'go' then is_about_go else array_contains(tokens, keyword) end"
    ) }} as keywords
from tokenised
