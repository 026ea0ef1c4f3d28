"""What is measured of each task, every metric declared once."""
