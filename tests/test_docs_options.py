"""docs/options.md lists every knob and every option, each with the comment that explains it in `conf/`."""

import re
from pathlib import Path

from docs_examples import DOCS

from gradflow import CONF

PAGE = (DOCS / "options.md").read_text()
GROUPS = sorted({file.parent.name for file in CONF.glob("*/*.yaml")} - {"experiment"})


def escaped(text: str) -> str:
    """For a cell of a table: nothing in it is taken for emphasis or HTML."""
    return text.replace("_", r"\_").replace("*", r"\*").replace("<", "&lt;")


def first_sentence(file: Path) -> str:
    comment = re.match(r"(?:# @package.*\n)?((?:# .*\n)+)", file.read_text())[1]
    text = " ".join(line.removeprefix("# ") for line in comment.splitlines())
    return escaped(re.split(r"\.(?= [A-Z]|$)", text)[0])


def knobs() -> list[str]:
    """Rows of the plain values at the top level of the configuration."""
    lines = re.findall(r"^(\w+): +(\S.*?) +# (.*)$", (CONF / "train.yaml").read_text(), flags=re.MULTILINE)
    return [f"| `{name}` | `{value}` | {escaped(comment)} |" for name, value, comment in lines]


def options(group: str) -> list[str]:
    return [f"| `{file.stem}` | {first_sentence(file)} |" for file in sorted((CONF / group).glob("*.yaml"))]


def test_each_knob_is_listed():
    section = PAGE.split("## Plain values")[1].split("\n## ")[0]
    assert re.findall(r"^\| `.*$", section, flags=re.MULTILINE) == knobs()


def test_each_option_of_each_group_is_listed():
    sections = dict(re.findall(r"^## `(\w+)=`\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL))
    assert sorted(sections) == GROUPS
    for group, section in sections.items():
        assert re.findall(r"^\| `.*$", section, flags=re.MULTILINE) == options(group)
