"""How long an item takes: a regression on log hours and a chance per horizon, with censoring."""
