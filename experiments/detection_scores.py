"""What detectors find of wrong labels that are known: ours, and cleanlab's."""
def compare(*a): return {}
