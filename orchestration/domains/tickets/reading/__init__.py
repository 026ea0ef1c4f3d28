"""Landed files as checked records: kinds of files, streams of JSON, tables, lines, and shapes of values."""
