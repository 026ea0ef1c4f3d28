"""A folder per domain, which knows no other one: what is loaded, what is learned, and how it serves."""
