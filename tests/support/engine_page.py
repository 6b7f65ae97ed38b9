"""The lesson's engine in a blank page of a real browser."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from browsers import browser_page

from gradflow.lesson import scripts


class Engine:
    """Calls functions of the engine; arguments and results travel as JSON, which keeps every digit of a float64."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def __call__(self, function: str, argument: Any = None) -> Any:
        """What a JavaScript function of one argument returns; NaN and infinity come back as None."""
        call = f"async text => JSON.stringify(await ({function})(JSON.parse(text)), {_ARRAYS})"
        return json.loads(self.page.evaluate(call, json.dumps(argument)))


_ARRAYS = "(key, value) => ArrayBuffer.isView(value) ? Array.from(value) : value"


@contextmanager
def engine_page() -> Iterator[Engine]:
    """A page whose console must stay silent."""
    with browser_page(width=800, noise=("error", "warning")) as page:
        page.set_content(f'<!DOCTYPE html><script id="engine">{scripts.engine()}</script>')
        yield Engine(page)
