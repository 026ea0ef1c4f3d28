-- What words tell of a closing: in a comment, and in a label. The order is that in which they are believed.
{% macro closing_words() -%}
    {%- set number = "(?:[\\w.-]+/[\\w.-]+)?#[0-9]+|/(?:issues|pull|discussions)/[0-9]+" -%}
    {%- set what = "(?: this| it| the)?(?: issue| ticket| bug| discussion| conversation)?(?: over)?(?: here)?" -%}
    {{ return({
        "moved": "\\b(?:moved|moving|transferred|transferring|migrated|relocated)" ~ what
            ~ " (?:to|into)\\b[^.\\n]{0,40}?(?:" ~ number ~ "|https?://|\\bdiscussions?\\b|\\bjira\\b|\\btracker\\b"
            ~ "|\\bforum\\b|\\brepo(?:sitory)?\\b)",
        "duplicate": "\\bdup(?:e|licates?|licated)?\\b[^.\\n]{0,30}?(?:" ~ number ~ ")"
            ~ "|\\b(?:closing|closed|close|mark(?:ing|ed)?)\\b[^.\\n]{0,30}\\bdup(?:e|licate)?\\b"
            ~ "|^\\W*dup(?:e|licate)?\\b|\\bsame (?:issue |bug |problem |thing )?as (?:in )?(?:" ~ number ~ ")"
            ~ "|\\b(?:in favou?r of|superseded by|tracked (?:in|by)|covered by)\\b[^.\\n]{0,30}?(?:" ~ number ~ ")",
        "stale": "\\b(?:as|is|been|gone|went|seems|looks) (?:\\w+ ){0,2}stale\\b|\\bstale (?:issue|bug|ticket)|^\\W*stale\\b"
            ~ "|\\b(?:clos\\w+|mark\\w+) stale\\b|\\binactiv(?:e|ity)\\b|\\babandoned\\b"
            ~ "|\\b(?:no|lack of|without)(?: any)?(?: further| recent| new)? (?:activity|response|reply|replies|feedback|follow[- ]?up)\\b"
            ~ "|\\btimed? ?out (?:in|waiting)|\\b(?:has ?n.t|has not|have ?n.t|have not) (?:been|had|received|heard)(?: any)?(?: recent)?"
            ~ " (?:activity|back|updated?s?|respon\\w+|feedback)",
        "not_planned": "\\b(?:wo ?n.t|will not)(?: be)? ?(?:fix|do|implement|accept|happen|merg|add|chang)"
            ~ "|\\bnot (?:going to|planning to|planned|a bug|an issue|our bug|in scope|reproducible|supported)\\b"
            ~ "|\\bout of scope\\b|\\bwork(?:s|ing) as (?:intended|expected|designed)\\b|\\bby design\\b"
            ~ "|\\b(?:ca ?n.t|can ?not|unable to|could ?n.t|could not)(?: be)? repro|\\binvalid\\b|\\bno plans? (?:to|for)\\b"
            ~ "|\\b(?:declin|reject)(?:ed|ing)\\b|\\bunsupported\\b|\\bobsolete\\b"
            ~ "|\\bno longer (?:relevant|appl(?:ies|icable)|needed|valid|supported)\\b",
        "completed": "\\b(?:fix(?:ed|es)|resolve[ds]|implemented|addressed|landed|merged|done|shipped|released|solved|completed"
            ~ "|closed)\\b(?: now)? (?:in|by|with|via|on|at|as of|since)\\b"
            ~ "|^\\W*(?:fixed|done|merged|resolved|implemented|landed|solved|completed)\\b"
            ~ "|\\b(?:is|was|has been|have been|been) (?:now |already )?(?:fixed|done|implemented|resolved|merged|solved)\\b"
    }) }}
{%- endmacro %}

{% macro closing_label_words() -%}
    {{ return({
        "moved": "moved|transferred|migrated",
        "duplicate": "dup|dupe|duplicate",
        "stale": "stale|rotten|inactive|abandoned|no[-_ ](?:recent[-_ ])?activity|no[-_ ]response",
        "not_planned": "wo ?n.?t[-_ ]?(?:fix|do)|invalid|not[-_ ](?:a[-_ ]bug|an[-_ ]issue|planned|reproducible)|by[-_ ]design"
            ~ "|as[-_ ]designed|work(?:s|ing)[-_ ]as[-_ ](?:intended|expected|designed)|ca(?:nnot|n.?t)[-_ ]repro\\w*"
            ~ "|unreproducible|out[-_ ]of[-_ ]scope|declined|rejected|obsolete|spam",
        "completed": "fixed|resolved|implemented|completed|shipped"
    }) }}
{%- endmacro %}

-- The first kind whose words a comment holds; null for none.
{% macro kind_of_comment(column) -%}
    case
        {%- for kind, words in closing_words().items() %}
        when {{ matches(column, '(?im)' ~ words) }} then '{{ kind }}'
        {%- endfor %}
    end
{%- endmacro %}

-- The first kind whose words a label is made of; null for none.
{% macro kind_of_label(column) -%}
    case
        {%- for kind, words in closing_label_words().items() %}
        when {{ matches(column, '(?i)(?:^|[^a-z])(?:' ~ words ~ ')(?:[^a-z]|$)') }} then '{{ kind }}'
        {%- endfor %}
    end
{%- endmacro %}
