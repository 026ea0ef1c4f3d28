-- What the ranker of people reads: one row per issue with a known handler and person who could have been proposed,
-- features as known before the day of T.
{{ candidate_features('is_answered') }}
