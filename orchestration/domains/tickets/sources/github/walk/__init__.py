"""The ways through a repository: all of it, what changed since, and what a list left out."""
