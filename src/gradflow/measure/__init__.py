"""Tensors in, numbers out: what is measured, whoever asks and whenever."""
