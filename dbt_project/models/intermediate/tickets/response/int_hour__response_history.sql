-- How the issues of a repository that were opened at an hour of the day were answered.
{{ response_history(['repository', 'hour'], 365) }}
