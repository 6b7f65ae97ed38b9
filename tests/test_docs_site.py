"""The site is built without a warning, which a broken link or anchor would give, and loads nothing from elsewhere."""

import re
import subprocess
import sys

import pytest
from docs_examples import ROOT

import gradflow
from gradflow import callbacks

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


def test_the_api_has_whatever_the_package_offers(site):
    text = (site / "api.html").read_text()
    offered = {f"gradflow.{name}" for name in gradflow.__all__} - {"gradflow.CONF", "gradflow.__version__"}
    offered |= {f"gradflow.callbacks.{name}" for name in callbacks.__all__} - {"gradflow.callbacks.monitors"}
    for name in sorted(offered):
        assert f'id="{name}"' in text, name


def test_the_search_works_from_the_disk(site):
    text = (site / "index.html").read_text()
    assert '"assets/iframe-worker.js"' in text  # browsers start no worker from the disk
    assert (site / "search/search_index.js").exists()
