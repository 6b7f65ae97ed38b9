"""What other people's code raises while a configuration is checked, as one line."""

from collections.abc import Iterator
from contextlib import contextmanager

from gradflow.errors import ConfigError
from gradflow.training.instantiation import cause


@contextmanager
def refusing(what: str, fault: str = "cannot be built") -> Iterator[None]:
    """Turn any error within the context into a refusal.

    Args:
        what: as it is typed.
        fault: what went wrong with it.

    Raises:
        ConfigError: naming both and the error; one that is raised within is left as it is.
    """
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:
        reason = cause(error)
        raise ConfigError(f"{what}: {fault}: {reason or type(reason).__name__}") from error
