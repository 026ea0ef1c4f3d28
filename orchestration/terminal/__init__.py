"""A run of the pipeline as somebody at a terminal sees it: a line per stage, and at the end what came out."""
