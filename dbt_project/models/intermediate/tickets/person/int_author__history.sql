-- A person over all repositories: one row per instant at which something new was known about them.
{{ by_key('login', ['int_person__fact']) }}
{{ person_history(['login']) }}
