-- How the issues of a repository were answered.
{{ response_history(['repository'], 90) }}
