-- What the models of the hours read: one row per issue, at its creation.
{{ ticket_features('age_days = 0') }}
