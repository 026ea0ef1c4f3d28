-- How the issues of a repository, of late were answered.
{{ response_history(['repository'], 14) }}
