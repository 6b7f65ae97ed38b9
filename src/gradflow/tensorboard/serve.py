"""TensorBoard in this process, whose plain address opens at what answers a study's question."""

import contextlib
import io
import json
import threading
import time
import urllib.request
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from tensorboard import program

from gradflow.errors import ConfigError
from gradflow.signals import Signalled, status_of

HOST = "127.0.0.1"
PATIENCE_S = 60.0  # until runs are read; the page then shows more of them each time it is reloaded
_LOOKS_EVERY_S = 0.2
_INTERRUPTED = 130  # Ctrl-C, the ordinary end of a server
_ON_THE_WAY = """<!doctype html>
<title>TensorBoard</title>
<script>
  try {
    const kept = JSON.parse(localStorage.getItem("_tb_global_settings")) || {};
    localStorage.setItem("_tb_global_settings", JSON.stringify({ ignoreOutliers: false, ...kept }));
  } catch {} // a browser that keeps nothing
  location.replace("/?" + QUERY + location.hash);
</script>
"""

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class OpensAt:
    """A WSGI application whose plain address leads on to one with this query; what has a query of its own stays.

    On the way there, the browser is told to show all values: by default TensorBoard cuts off the lowest and the highest
    twentieth, of a few depths the very ones that matter. There is no word for that in the address, only a setting that
    the browser keeps; one that the user has chosen stays.
    """

    def __init__(self, application: Application, query: str) -> None:
        self._application = application
        self._page = _ON_THE_WAY.replace("QUERY", json.dumps(query)).encode()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") in ("", "/") and not environ.get("QUERY_STRING"):
            headers = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(self._page)))]
            start_response("200 OK", [*headers, ("Cache-Control", "no-store")])
            return [self._page]
        return self._application(environ, start_response)


def start(logdir: str, *, port: int | None, query: str) -> str:
    """Serve a folder, in a thread that ends with this process.

    Args:
        logdir: what TensorBoard calls it.
        port: None for the first of TensorBoard's own that is free, 6006 or one of the next.
        query: of the address to which the plain one leads.

    Returns:
        The plain address.

    Raises:
        ConfigError: if the port cannot be had.
    """
    make_server = program.create_port_scanning_werkzeug_server
    board = program.TensorBoard(server_class=lambda app, flags: make_server(OpensAt(app, query), flags))
    board.configure(logdir=logdir, host=HOST, port=port)
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # a note that the way of loading is new
            return str(board.launch()).rstrip("/")
    except program.TensorBoardServerException as error:
        asked = "" if port is None else f"--port {port}: "
        raise ConfigError(f"{asked}{error.msg}; name another, e.g. --port {(port or 6006) + 100}") from error


def has_read(address: str, runs: Collection[str]) -> bool:
    """Wait until TensorBoard has read these runs; whether it has, in `PATIENCE_S`."""
    until = time.monotonic() + PATIENCE_S
    while not set(runs) <= _read(address):
        if time.monotonic() > until:
            return False
        time.sleep(_LOOKS_EVERY_S)
    return True


def work() -> None:
    """Let the server work, until a signal comes."""
    threading.Event().wait()


@contextlib.contextmanager
def until_ctrl_c() -> Iterator[None]:
    """Take Ctrl-C for the end of what is done here, not for an interruption."""
    try:
        yield
    except (KeyboardInterrupt, Signalled) as error:
        if status_of(error) != _INTERRUPTED:
            raise


def _read(address: str) -> set[str]:
    """The runs whose scalars TensorBoard knows."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # not by a proxy
    with direct.open(f"{address}/data/plugin/timeseries/tags", timeout=PATIENCE_S) as answer:
        return set(json.load(answer)["scalars"]["runTagInfo"])
