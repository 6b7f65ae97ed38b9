"""Lightning callbacks: when to measure. `monitor` has their base class."""
