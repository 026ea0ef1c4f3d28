"""Parts in time: the split, folds before the test part, and rolling origins."""
