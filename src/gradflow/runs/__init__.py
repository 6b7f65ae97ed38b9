"""The format of a run folder, for code that writes one and code that reads one: names, record, curves, identity."""
