"""Studies: what methods are worth on simulated data with known answers, as tables."""
