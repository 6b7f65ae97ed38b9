"""Section 7: the questions of the decision tree."""

from gradflow.lesson.decision_tree import Advice, Ask, Tree
from gradflow.lesson.numbers import percent
from gradflow.lesson.sections import hidden_layers as hidden
from gradflow.lesson.sections.outputs import OUTPUTS, Output
from gradflow.runs.health import DEAD_FRACTION

HIDDEN = "hidden"  # name of the question that all advice on outputs leads to


def tree() -> Tree:
    return Tree(
        Ask(
            "layer",
            "Which layer do you choose for?",
            {"The output layer: it gives the answer": _outputs(), "A hidden layer": _networks()},
        ),
    )


def _outputs() -> Ask:
    return Ask("target", "What do you predict?", {output.target: _output(output) for output in OUTPUTS})


def _output(output: Output) -> Advice:
    return Advice(
        name=output.name,
        use=f"Output: {output.output}. Loss: {output.loss}",
        settings={"in PyTorch": output.torch, "targets": output.targets},
        why=output.why,
        evidence=output.evidence,
        code=output.code,
        functions=output.functions,
        onward=("Now the hidden layers", HIDDEN),
    )


def _networks() -> Ask:
    return Ask(
        HIDDEN,
        "What kind of network is it?",
        {
            "Dense layers, up to four": _units(),
            "Dense layers, five or more": _additions(),
            "Convolutions": _places(),
            "A transformer": hidden.TRANSFORMER,
            "A recurrent network": _cells(),
        },
    )


def _units() -> Ask:
    return Ask(
        "units",
        "Do units die?",
        {"No, or I have not looked": hidden.SHALLOW, "Yes": hidden.LEAKY},
        hint=f"A unit is dead when its slope is 0 for every sample. Act when a layer has more than "
        f"{percent(DEAD_FRACTION)} of them.",
    )


def _additions() -> Ask:
    return Ask(
        "additions",
        "What may you add to the layers?",
        {
            "Nothing": hidden.DEEP_PLAIN,
            "Normalisation": hidden.BATCH_NORM,
            "Residual connections": hidden.RESIDUAL,
        },
    )


def _places() -> Ask:
    return Ask(
        "place",
        "Where will it run?",
        {"On a computer with room to spare": hidden.CONV, "On a phone or a small chip": _arithmetic()},
    )


def _arithmetic() -> Ask:
    return Ask(
        "arithmetic",
        "In which arithmetic?",
        {"8-bit whole numbers": hidden.EIGHT_BITS, "Floating-point numbers": hidden.PHONE},
    )


def _cells() -> Ask:
    return Ask("cell", "Which cell?", {"LSTM or GRU": hidden.GATED, "A plain one": hidden.RECURRENT})
