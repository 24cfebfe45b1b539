"""`python -m benchmarks.soak`: two detectors, a viewer and cuts for half an hour."""
