"""What the lesson computes, one module a section: numbers and frames, nothing drawn."""
