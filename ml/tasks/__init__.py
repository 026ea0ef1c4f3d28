"""What is learned: durations, 0/1 labels and orders; how each is fitted, judged and served."""
