"""Orchestration: what runs, in which order and on which data. Models and metrics live in `ml`."""

import gc

# Nearly all that is imported and declared stays: to look for garbage as often as usual takes a sixth of it.
gc.set_threshold(200_000)
