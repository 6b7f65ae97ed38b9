"""Which remedies are commands."""

from gradflow import invocation


def is_command(remedy: str) -> bool:
    """Whether it is a whole command line, not an override or words."""
    return invocation.is_training(remedy)
