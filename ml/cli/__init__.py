"""The command line, a module per kind of command."""
