"""What is more likely, and what comes first: scorers and rankers on two classes or grades."""
