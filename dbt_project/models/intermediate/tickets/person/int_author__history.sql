-- A person over all repositories: one row per instant at which something new was known about them.
{{ person_history(['login']) }}
