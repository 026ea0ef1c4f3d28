"""Models that treat slices more alike: how they are made, tried on later rows, and served."""
