"""The format of a run folder, for those that write one and those that read one: names, record, curves, identity."""
