"""Which activation is better, paired by seed, and whether that can be claimed."""
