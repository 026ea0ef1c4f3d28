-- The same columns for the tickets that are open now: what is asked about, and never trained on.
{{ ticket_features('not is_learned_from', with_activity=true) }}
