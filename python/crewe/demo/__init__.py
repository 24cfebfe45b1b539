"""What `crewe demo` shows: a model, two detectors, a report."""
