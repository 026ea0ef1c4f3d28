"""Files of a run: written whole or not at all, known by their hash, and the record of what was trained."""
