"""From TFDS files to batches on the devices."""
