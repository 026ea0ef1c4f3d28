-- What the author wrote, once per issue: it is known from the creation on. Title and body are as of the crawl, since
-- later edits cannot be told apart.
{{ by_key('item_id', ['int_issue__cleaned', 'int_issue__keyword']) }}
{% set families = technical_keywords().keys() | list %}

with issues as (
    select item_id, created_at, title, coalesce(body, '') as body
    from {{ of_changed(ref('int_issue__cleaned')) }}
),

keywords as (
    select item_id, keywords
    from {{ of_changed(ref('int_issue__keyword')) }}
),

split as (
    select
        *,
        {{ prose('body') }} as prose
    from issues
)

select
    split.item_id,
    length(split.title)::integer as title_length,
    {{ count_matches('split.title', '\\S+') }}::integer as title_words,
    coalesce(
        {{ count_matches('split.title', '[A-Z]') }} / nullif({{ count_matches('split.title', '[A-Za-z]') }}, 0), 0
    ) as title_uppercase_share,
    contains(split.title, '?') as title_has_question,
    length(split.body)::integer as body_length,
    {{ count_matches('split.body', '\\S+') }}::integer as body_words,
    (1 - length(split.prose) / greatest(length(split.body), 1))::double as body_code_share,
    floor(({{ count_matches('split.body', '(?m:^\\s*```)') }} + 1) / 2)::integer as n_code_blocks,
    {{ count_matches('split.prose', '`[^`\\n]+`') }}::integer as n_inline_code,
    {{ count_matches('split.body', '(?m:^(?: {4}|\\t)\\s*\\S)') }}::integer as n_indented_lines,
    {{ count_matches('split.body', 'https?://') }}::integer as n_links,
    {{ count_issue_references('split.prose') }}::integer as n_issue_references,
    {{ count_mentions('split.prose') }}::integer as n_mentions,
    {{ has_stack_trace('split.body') }} as has_stack_trace,
    {{ count_matches('split.body', '(?m:^\\s*[-*+] \\[[ xX]\\])') }}::integer as n_checklist_items,
    {{ count_matches('split.prose', '(?m:^\\s*(?:[-*+]|[0-9]+[.)]) )') }}::integer as n_list_items,
    {{ count_matches('split.prose', '\\?(?:\\s|\\z)') }}::integer as n_questions,
    {{ count_matches('split.prose', '!(?:\\s|\\z)') }}::integer as n_exclamations,
    {{ count_matches('split.prose', '(?m:^#{1,6} )') }}::integer as n_headings,
    {{ count_matches('split.prose', '(?m:^>)') }}::integer as n_quoted_lines,
    {{ count_matches('split.prose', '!\\[|<img ') }}::integer as n_images,
    {{ count_matches('split.prose', '\\bv?[0-9]+\\.[0-9]+(?:\\.[0-9]+)*\\b') }}::integer as n_versions,
    cardinality(keywords.keywords)::integer as n_keywords,
    {%- for family in families %}
    cardinality(array_intersect(keywords.keywords, {{ keyword_list(family) }}))::integer as n_keywords_{{ family }},
    {%- endfor %}
    left(split.title || chr(10) || split.body, {{ var('text_characters') }}) as text,
    split.created_at as event_timestamp,
    split.created_at as available_at
from split
inner join keywords on split.item_id = keywords.item_id
