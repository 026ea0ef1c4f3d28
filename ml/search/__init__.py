"""The search for parameters, for every task."""
