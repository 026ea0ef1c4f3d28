-- Who is no person. Static rules on the login, so that they hold at any time.

-- Accounts of programs: GitHub's own suffix, the usual endings, and the bots of large projects.
{% macro is_bot(login) -%}
    coalesce(
        regexp_matches(lower({{ login }}), '(\[bot\]|[-_]bot|bot)$')
        or lower({{ login }}) in ('bors', 'highfive', 'rust-highfive', 'codecov', 'dependabot', 'renovate'),
        false
    )
{%- endmacro %}

-- Accounts that stand for many people or for none: what they did before says nothing about who comes next.
{% macro is_placeholder(login) -%}
    coalesce({{ login }} in ('{{ var("placeholder_logins") | join("', '") }}'), true)
{%- endmacro %}

-- Tenure within a repository, by what was seen before T: senior from 50 acts (issues, pull requests, comments)
-- over at least a year, mid from 5 acts over at least 30 days, junior below. Nobody's account has none.
{% macro tenure_class(login, acts, days) -%}
    case
        when {{ is_placeholder(login) }} then 'unknown'
        when {{ acts }} >= 50 and {{ days }} >= 365 then 'senior'
        when {{ acts }} >= 5 and {{ days }} >= 30 then 'mid'
        else 'junior'
    end
{%- endmacro %}
