"""Numbers from arrays: metrics, rank metrics, resamples and intervals, said once for everybody."""
