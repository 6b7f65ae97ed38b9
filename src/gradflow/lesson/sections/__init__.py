"""What the lesson says and draws of each experiment: a section each, nothing computed but averages of what is shown."""
