"""What the lesson says about each experiment and draws of it; computes nothing but averages of what it shows."""
