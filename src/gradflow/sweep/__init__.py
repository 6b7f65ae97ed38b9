"""A whole sweep: the command line, every combination planned and checked, what each job trains."""
