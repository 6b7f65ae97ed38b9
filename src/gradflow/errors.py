"""The errors that gradflow turns into an exit status. Each pickles both ways, so that any launcher can carry it."""


class ConfigError(ValueError):
    """Wrong input: one line with the key, the value and the remedy. Exit status 2."""


class Diverged(ArithmeticError):
    """The loss or a gradient is no longer finite: a result of the run, not a fault of the program."""


class RunsFailed(RuntimeError):
    """At least one run of the command raised; each has its error in its run.json. Exit status 1."""
