"""The training set: its contract, what is known of its outcomes, its split in time, labels and weights."""
