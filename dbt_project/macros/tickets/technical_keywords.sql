-- Technical keywords by family. A keyword matches a whole token, never a part of one; what `go` means is
-- decided in int_issue__keyword, since the English verb is far commoner than the language.
{% macro technical_keywords() -%}
    {{ return({
        "language": ["c++", "c#", ".net", "go", "java", "javascript", "python", "ruby", "rust", "lua", "typescript"],
        "failure": ["crash", "crashes", "panic", "segfault", "exception", "assertion", "ice", "regression"],
        "concurrency": ["deadlock", "race", "thread", "threads", "mutex", "async", "goroutine"],
        "performance": ["performance", "slow", "memory", "leak", "benchmark", "timeout"],
        "security": ["security", "vulnerability", "cve", "overflow", "authentication", "encryption"],
        "network": ["http", "tls", "quic", "tcp", "dns", "api"],
        "build": ["build", "compile", "linker", "cmake", "ci", "docker", "install"],
        "platform": ["windows", "linux", "macos", "android", "freebsd", "arm"],
        "writing": ["documentation", "docs", "typo", "editorial", "spec"]
    }) }}
{%- endmacro %}

-- The keywords as a list: of one family, or of all.
{% macro keyword_list(family=none) -%}
    {%- set ns = namespace(words=[]) -%}
    {%- for name, words in technical_keywords().items() if family is none or name == family -%}
        {%- set ns.words = ns.words + words -%}
    {%- endfor -%}
    {{ list_of(ns.words) }}
{%- endmacro %}
