"""The page without anything measured: small, made without training, and whole."""

import re
from html import unescape

import pytest
import torch

from gradflow.lesson.__main__ import main

LARGEST = 400_000  # bytes


def words(page):
    """What stands on it, as text."""
    body = re.sub(r"<(script|style)[^>]*>.*?</\1>", " ", page, flags=re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", " ", body))


def test_it_is_one_small_file_made_without_training(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("something is trained")

    monkeypatch.setattr(torch.optim.Optimizer, "__init__", refuse)
    assert main(["--live-only", "--output", str(tmp_path)]) == 0
    assert [file.name for file in tmp_path.iterdir()] == ["index.html"]
    assert (tmp_path / "index.html").stat().st_size < LARGEST


@pytest.mark.slow
def test_it_speaks_of_nothing_that_is_not_there(live_only):
    page = (live_only / "index.html").read_text()
    assert re.findall(r"\b(?:figure|chart)s?\b", words(page), flags=re.IGNORECASE) == []
    body = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert 'class="chart"' not in body
    assert 'id="specs"' not in page
    places = re.findall(r'\bid="live-([^"]*)"', body)
    assert set(re.findall(r'data-live="([^"]*)"', body)) <= set(places)
