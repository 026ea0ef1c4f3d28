-- A person within one repository: one row per instant at which something new was known about them.
{{ person_history(['repository', 'login']) }}
