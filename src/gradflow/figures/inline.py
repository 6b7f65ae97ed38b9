"""What a self-contained page carries inside: its data and the drawing library."""

import functools
import json
from pathlib import Path
from typing import Any

import vl_convert
from markupsafe import Markup


def script_json(value: Any) -> Markup:
    """JSON that no value can break out of: a script element ends at the first `</script`, even inside a string."""
    return Markup(json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"))


def chart_options() -> Markup:
    """A script that defines `CHART_OPTIONS`, with which Vega-Embed draws the charts of every page."""
    return Markup((Path(__file__).parent / "charts.js").read_text(encoding="utf-8"))


@functools.cache
def vega_library() -> Markup:
    """Vega, Vega-Lite and Vega-Embed in one script."""
    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return Markup(bundle.replace("</script", "<\\/script"))
