"""TensorBoard for studies, opened at what answers their question: which runs, which cards, which colours."""
