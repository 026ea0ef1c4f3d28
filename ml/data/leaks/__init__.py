"""What gives the label away: copies, which are refused, and suspects, which are named with evidence."""
