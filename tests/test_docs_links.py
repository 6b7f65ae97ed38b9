"""Links of README, CONTRIBUTING and docs lead to files, and to headings by the anchors that GitHub gives them."""

import re
from pathlib import Path

import pytest
from docs_examples import DOCS, ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]


def without_code(page: Path) -> str:
    return re.sub(r"^```.*?^```$|`[^`\n]+`", "``", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def links(page: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", without_code(page))


def anchors(page: Path) -> set[str]:
    """Of each heading: in small letters, without punctuation, spaces as hyphens; a second of the same name has `-1`."""
    found: list[str] = []
    code = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for heading in re.findall(r"^#+ (.*)$", code, flags=re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.append(plain if plain not in found else f"{plain}-{found.count(plain)}")
    return set(found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_leads_to_a_file_and_a_heading(page):
    for link in links(page):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_pages_of_the_site_link_to_pages_of_the_site():
    for page in sorted(DOCS.rglob("*.md")):
        for link in links(page):
            assert link.startswith("https://") or (page.parent / link.partition("#")[0]).resolve().is_relative_to(DOCS)


def test_a_wrong_link_would_be_seen(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# One, two: `three`\n\n[there](other.md#here) `[code](nowhere.md)`\n\n```\n# no heading\n```\n")
    assert links(page) == ["other.md#here"]
    assert anchors(page) == {"one-two-three"}


def test_the_index_names_every_page():
    named = set(links(DOCS / "index.md")) | {"index.md"}
    assert {page.name for page in DOCS.glob("*.md")} <= named
