"""The site is built without a warning, which a broken link or anchor would give, and loads nothing from elsewhere."""

import re
import subprocess
import sys

import pytest
from docs_examples import ROOT

pytest.importorskip("material")
pytest.importorskip("mkdocstrings")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    build = (sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder))
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_each_page_is_there(site):
    pages = {page.stem for page in (ROOT / "docs").glob("*.md")}
    assert pages <= {page.stem for page in site.glob("*.html")}


def test_nothing_is_loaded_from_elsewhere(site):
    for page in site.rglob("*.html"):
        loaded = re.findall(r'<(?:script|img|iframe)[^>]* src="([^"]+)"|<link[^>]* href="([^"]+)"', page.read_text())
        assert loaded
        assert not [one for pair in loaded for one in pair if one.startswith(("http", "//"))], page


def test_the_api_has_the_docstrings_of_what_can_be_imported(site):
    text = (site / "api.html").read_text()
    for name in ("gradflow.callbacks.monitors", "gradflow.measure.watch.watch"):
        assert f'id="{name}"' in text
