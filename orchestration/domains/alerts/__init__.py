"""AML alerts: which are true, in which order they are reviewed."""
