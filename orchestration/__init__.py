"""Orchestration: what runs, in which order and on which data. Models and metrics live in `ml`."""
