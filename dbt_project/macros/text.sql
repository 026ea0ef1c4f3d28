-- Text handling shared by staging and the content features.

-- Control characters carry no meaning and break files and tokenisers; tab and line ends stay.
{% macro clean_text(column) -%}
    {{ replace_matches(column, '[\\x00-\\x08\\x0B\\x0C\\x0E-\\x1F\\x7F]', '') }}
{%- endmacro %}

-- References to issues: #12, owner/name#12, or the address of an issue or pull request; not colours, not
-- headings, not c#1.
{% macro count_issue_references(column) -%}
    {{ count_matches(column, '(?:^|[\\s(\\[,;:])(?:[\\w.-]+/[\\w.-]+)?#[0-9]+\\b|/(?:issues|pull)/[0-9]+\\b') }}
{%- endmacro %}

-- The references themselves, as they are written; an address keeps its owner/name.
{% macro issue_references(column) -%}
    {{ all_matches(column, '(?:^|[\\s(\\[,;:])((?:[\\w.-]+/[\\w.-]+)?#[0-9]{1,9}\\b)', group=1) }}
    || {{ all_matches(column, '[\\w.-]+/[\\w.-]+/(?:issues|pull)/[0-9]{1,9}\\b') }}
{%- endmacro %}

-- Text without its fenced code, which is full of @, # and ? that mean something else there.
{% macro prose(column) -%}
    {{ replace_matches(column, '(?s)```.*?(?:```|\\z)', ' ') }}
{%- endmacro %}

-- People addressed as @login; the @ of an e-mail address follows a word character and does not count.
{% macro count_mentions(column) -%}
    {{ count_matches(column, '(?:^|[^\\w@/.`])@[A-Za-z0-9][A-Za-z0-9-]*') }}
{%- endmacro %}

-- The first lines of stack traces: Python, Go, Rust, Java and JavaScript, gdb and sanitizers.
{% macro has_stack_trace(column) -%}
    {{ matches(
        column,
        'Traceback \\(most recent call last\\)|goroutine [0-9]+ \\[|stack backtrace:|panicked at '
        ~ '|Exception in thread|(?m:^\\s+at [\\w$.<>/]+ ?\\([^)]*\\))|(?m:^\\s*#[0-9]+:? +0x[0-9a-f]+)'
    ) }}
{%- endmacro %}
