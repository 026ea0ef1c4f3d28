"""Where batches of alerts come from: a folder, or a synthetic set."""
