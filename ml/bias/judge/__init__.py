"""From figures to verdicts: one rule and one false-discovery rate for all tasks, and the gaps."""
