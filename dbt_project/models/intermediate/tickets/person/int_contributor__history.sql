-- A person within one repository: one row per instant at which something new was known about them.
{{ by_key('login', ['int_person__fact']) }}
{{ person_history(['repository', 'login']) }}
