"""AtomID-net: scenes with known columns, batches of them, the network and its training."""
