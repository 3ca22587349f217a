"""Built-in encoders: the paper's spatial-temporal fusion, and a baseline."""
