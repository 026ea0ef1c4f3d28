"""What is said of the tickets that are open now: by which models, in which words, and what was like them."""
