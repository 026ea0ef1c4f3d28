-- The same columns for the issues that are open now: what people are proposed for, and never trained on.
{{ candidate_features('not is_answered') }}
