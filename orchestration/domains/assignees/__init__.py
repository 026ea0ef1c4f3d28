"""People: who is likely to take a ticket."""
