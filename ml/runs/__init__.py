"""A run: train into a folder, choose among what was trained, and describe it."""
