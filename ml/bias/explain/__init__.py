"""Why there is a gap: the mix, combinations of slices, and time."""
