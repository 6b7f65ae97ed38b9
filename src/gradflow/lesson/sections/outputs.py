"""What to put after the last layer, and which loss goes with it: for the table, the tree and the cheat sheet."""

from typing import NamedTuple

from gradflow.lesson.numbers import short

CONFIDENT = 0.99  # probability that a confident mistake gives to the wrong answer
_BISHOP = "Bishop 2006, Pattern Recognition and Machine Learning, section 5.2"


def slope_at(probability: float) -> float:
    """The sigmoid's slope where its value is this."""
    return probability * (1 - probability)


class Output(NamedTuple):
    """One kind of target.

    Attributes:
        name: of its advice in the tree, after `choice-`.
        target: what is predicted.
        output: the function of the last layer.
        loss: that goes with it.
        torch: both in PyTorch, in words.
        why: these two.
        evidence: what that rests on.
        code: PyTorch, with `torch` and `nn` imported.
        targets: their shape and type in that code.
        functions: the package's names of the output functions.
    """

    name: str
    target: str
    output: str
    loss: str
    torch: str
    why: str
    evidence: str
    code: str
    targets: str
    functions: tuple[str, ...]


OUTPUTS = (
    Output(
        "classes",
        "one of several classes",
        "softmax",
        "cross-entropy",
        "linear outputs, nn.CrossEntropyLoss",
        f"The gradient at a logit is probability minus target: a mistake made with {short(CONFIDENT)} confidence is "
        f"corrected with {short(CONFIDENT)}. The loss applies the softmax itself.",
        f"Firm: it follows from the formulas ({_BISHOP}).",
        "head = nn.Linear(64, 10)  # no activation: the loss applies the softmax\nloss = nn.CrossEntropyLoss()",
        "whole numbers, one for each sample",
        (),
    ),
    Output(
        "yes-or-no",
        "yes or no",
        "sigmoid",
        "binary cross-entropy",
        "one linear output, nn.BCEWithLogitsLoss",
        "The same for two classes. The squared error would bring in the sigmoid's slope, which is "
        f"{short(slope_at(CONFIDENT))} there: the surest mistakes would be the slowest to mend.",
        f"Firm: it follows from the formulas ({_BISHOP}).",
        "head = nn.Linear(64, 1)  # no activation: the loss applies the sigmoid\nloss = nn.BCEWithLogitsLoss()",
        "0.0 or 1.0, in the shape of the output",
        ("sigmoid",),
    ),
    Output(
        "labels",
        "several labels at once",
        "one sigmoid each",
        "binary cross-entropy",
        "a linear output for each label, nn.BCEWithLogitsLoss",
        "Labels do not exclude one another, so their probabilities need not add up to 1, as those of a softmax do.",
        f"Firm: it follows from the formulas ({_BISHOP}).",
        "head = nn.Linear(64, 5)  # five labels\nloss = nn.BCEWithLogitsLoss()",
        "0.0 or 1.0 for each label",
        ("sigmoid",),
    ),
    Output(
        "number",
        "any number",
        "none",
        "mean squared error",
        "linear output, nn.MSELoss",
        "Every number can be reached, and the gradient grows with the error. A sigmoid or a ReLU would put some "
        "numbers out of reach.",
        f"Firm: it follows from the formulas ({_BISHOP}). On the package's diabetes data it reaches a test R² of 0.51, "
        "tanh 0.47.",
        "head = nn.Linear(64, 1)\nloss = nn.MSELoss()",
        "numbers, scaled to about -1 to 1",
        ("identity",),
    ),
    Output(
        "bounded",
        "a number between two bounds",
        "tanh",
        "mean squared error",
        "nn.Tanh, nn.MSELoss, targets scaled into (-1, 1)",
        "The output cannot leave the bounds. Scale the targets to just inside them: tanh reaches ±1 for no finite z.",
        "Firm on the bounds, thin on the score: without them, a plain linear output is as good or better (on the "
        "package's diabetes data a test R² of 0.51, with tanh 0.47).",
        "head = nn.Sequential(nn.Linear(64, 1), nn.Tanh())\nloss = nn.MSELoss()",
        "numbers, scaled to -0.8 to 0.8",
        ("tanh",),
    ),
)
