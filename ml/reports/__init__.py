"""What a run shows: the files of the bias report, and pictures."""
