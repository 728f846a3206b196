"""The audit: from labelled images to a report of which labels are wrong."""
