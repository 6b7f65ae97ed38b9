"""How each section opens: its title, a line, and a question to answer before the reveal."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gradflow.figures.table import Table
from gradflow.lesson.section import Live, Part, Question, Section, Text


@dataclass(frozen=True)
class Opening:
    """What comes before what is measured.

    Attributes:
        title: the section's.
        lead: a line above the question.
        question: what follows it is hidden until it is answered.
        parts: first in the reveal.
    """

    title: str
    lead: str
    question: Question
    parts: Sequence[Part | Table] = ()


OPENINGS = {
    "nonlinearity": Opening(
        title="Why a non-linearity?",
        lead="Two networks learn to tell a ring from its core. Ten layers each; only one has an activation function.",
        question=Question(
            name="nonlinearity",
            ask="Left: ten layers without an activation function. What will its border look like after training?",
            options=[
                "A circle: ten layers are deep enough",
                "A straight line, however long it trains",
                "A polygon: every layer adds a corner",
            ],
            answer=1,
            why="A linear function of a linear function is linear: ten layers of it draw one line.",
            parts=[Live("identity-one-line")],
        ),
    ),
    "telephone": Opening(
        title="The telephone game",
        lead="A gradient is a message passed back from layer to layer. Each layer multiplies it by its slope.",
        question=Question(
            name="telephone",
            ask="Ten sigmoid layers on the left, ten ReLU layers on the right. What will happen?",
            options=[
                "Both learn; the sigmoid takes a little longer",
                "The sigmoid network stays where it is: its first layers get almost no gradient",
                "The sigmoid network diverges: ten slopes multiply to something huge",
            ],
            answer=1,
            why="A sigmoid's slope is at most a quarter, so every layer passes on at most a quarter of the message.",
            parts=[Live("sigmoid-ten-layers")],
        ),
        parts=[Live("sigmoid-ten-layers-batch-norm")],
    ),
    "dead-units": Opening(
        title="Dead units",
        lead="A ReLU unit whose sum is negative for every sample has slope 0 everywhere: nothing can teach it.",
        question=Question(
            name="dead-units",
            ask="This ReLU network trains at far too large a rate. What will happen to its units?",
            options=[
                "They die, and stay dead",
                "They die, but wake up as training goes on",
                "Nothing: a large rate only makes the loss jump",
            ],
            answer=0,
            why="One large step can push a unit's sum below 0 for every sample; without a slope there is no way back.",
            parts=[Live("relu-units-die")],
        ),
        parts=[Live("leaky-relu-cures")],
    ),
}


def opened(name: str, rest: Section | None) -> Section | None:
    """A section that begins with its opening, if it has one.

    Args:
        name: the section's.
        rest: what follows the opening, whose paragraphs are then part of the reveal; None if nothing does.
    """
    opening = OPENINGS.get(name)
    if opening is None:
        return rest
    begin = [opening.question, *opening.parts]
    if rest is None:
        return Section(name, opening.title, [opening.lead], begin)
    parts = [*begin, Text(rest.paragraphs), *rest.parts]
    return replace(rest, title=opening.title, paragraphs=[opening.lead], parts=parts)
