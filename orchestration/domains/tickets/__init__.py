"""Tickets: how long they take, which are late, which come first."""
