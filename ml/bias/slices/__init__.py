"""Which row is in which slice: columns, lists, groups and whole frames, checked and encoded once."""
