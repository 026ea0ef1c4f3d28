-- How the issues of an author within a repository were answered.
{{ response_history(['repository', 'author_login'], 1825) }}
