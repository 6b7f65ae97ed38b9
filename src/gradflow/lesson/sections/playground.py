"""The playground: two networks side by side, with every setting, at the reader's disposal."""

from dataclasses import dataclass
from typing import ClassVar

from gradflow.lesson.section import Section


@dataclass(frozen=True)
class Playground:
    """The whole playground; its state is in the page's address."""

    template: ClassVar[str] = "playground.html"


def section() -> Section:
    return Section(
        name="playground",
        title="Playground",
        paragraphs=[
            "Two networks train side by side, on the same points, the same batches and the same random draws. Try a "
            "situation, or change anything, and watch the message on its way back. The address holds what you have "
            "chosen: copy the link to share it."
        ],
        parts=[Playground()],
    )
