"""Bytes of detectors → frames or events, and images → files."""
