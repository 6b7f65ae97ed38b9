"""Which activation is better, paired by seed, and whether that may be claimed."""
