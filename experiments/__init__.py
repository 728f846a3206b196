"""Programs that train, compare and report with noisy_labels."""
