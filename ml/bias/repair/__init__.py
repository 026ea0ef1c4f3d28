"""Ways to lessen a gap, and the ledger that says whether they did."""
