-- What the models of the remaining time read: one row per issue and observation time, with what had happened so far.
{{ ticket_features('is_learned_from', with_activity=true) }}
