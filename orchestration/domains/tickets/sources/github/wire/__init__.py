"""One answer from GitHub: the connection, the tokens, and what to do about each refusal."""
