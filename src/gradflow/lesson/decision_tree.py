"""A decision tree: questions, and what to do at the end of each path."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Advice:
    """The end of a path.

    Attributes:
        name: its id on the page, after `choice-`.
        use: what to use, in a line.
        settings: term -> value: activation, initialisation, normalisation, or output layer, targets, loss.
        why: the reason, in a sentence or two.
        evidence: what it rests on, and how firm that is.
        code: PyTorch, with `torch` and `nn` imported.
        functions: the package's names of the activations that it recommends, the first one first.
        play: the address of the playground with these settings, from `#`; empty where it has nothing to show.
        onward: what else the reader needs, and the name of the question that leads there.
    """

    name: str
    use: str
    settings: Mapping[str, str]
    why: str
    evidence: str
    code: str
    functions: Sequence[str]
    play: str = ""
    onward: tuple[str, str] | None = None


@dataclass(frozen=True)
class Ask:
    """A question.

    Attributes:
        name: its id on the page, after `choice-`.
        question: as the reader sees it.
        answers: text -> what follows.
        hint: how to find the answer.
    """

    name: str
    question: str
    answers: Mapping[str, "Ask | Advice"]
    hint: str = ""


@dataclass(frozen=True)
class Tree:
    """A part of the lesson: on a screen one question at a time, in print the whole tree."""

    template: ClassVar[str] = "tree.html"
    root: Ask


def paths(node: Ask | Advice, so_far: Sequence[str] = ()) -> Iterator[tuple[Sequence[str], Advice]]:
    """The answers that lead to each advice, in the order of the page."""
    if isinstance(node, Advice):
        yield so_far, node
    else:
        for answer, follows in node.answers.items():
            yield from paths(follows, [*so_far, answer])
