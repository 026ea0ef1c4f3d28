"""Pure machine learning: frames in, dataclasses and files out; no scheduler, database or environment."""
