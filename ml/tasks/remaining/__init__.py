"""How much longer an item takes at its age, after what happened in it: the chance to end in each period."""
