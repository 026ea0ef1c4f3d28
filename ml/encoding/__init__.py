"""Items to matrices: encoders of columns, fitted on training rows only, and the matrix shared by models."""
