-- Who is no person.

-- Whether an account was known at an instant to be a program's.
{% macro is_bot(login, at) -%}
    exists (
        select 1 from {{ ref('stg_github__bot') }} as bots
        where bots.bot_login = lower({{ login }}) and bots.known_at <= {{ at }}
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
