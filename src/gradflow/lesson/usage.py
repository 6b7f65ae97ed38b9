"""When to use each activation and when not, in a student's words."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Usage:
    """A few words each, which continue "use it when" or "avoid it when" as a heading."""

    use_when: str
    avoid_when: str


# What rests on a paper names it; the rest follows from the function's slope and range, which stand beside it.
USAGE = {
    "identity": Usage(
        "the output may be any number, as in regression; or you need a control",
        "the layer is hidden: any number of such layers is one linear map",
    ),
    "sigmoid": Usage(
        "the output is the probability of a yes, or a gate of an LSTM",
        "hidden layers are many: ten slopes of at most 1/4 leave under a millionth",
    ),
    "tanh": Usage(
        "the output lies between −1 and 1, or the state of a recurrent cell",  # noqa: RUF001
        "the network is deep and its sums are large: the tails are flat",
    ),
    "relu": Usage(
        "you need a first choice for hidden layers: cheap, slope 1 where it is on",
        "many units die, for example at a large learning rate",
    ),
    "leaky_relu": Usage(
        "ReLU's units die: below zero this one still learns",
        "outputs of exactly 0 are wanted (sparse layers)",
    ),
    "prelu": Usage(
        "there are many data, and the leak may be learned from them (He et al. 2015)",
        "there are few: it fitted the training data best, not the test data (Xu et al. 2015)",
    ),
    "rrelu": Usage(
        "data are few: drawing the slope at random fights overfitting (Xu et al. 2015)",
        "training must be cheap, or without chance",
    ),
    "elu": Usage(
        "ReLU's units die, and the mean output should be nearer to zero",
        "units far below zero must still learn: there it is flat",
    ),
    "celu": Usage(
        "you want ELU with an alpha other than 1, without a jump in the slope",
        "alpha is 1: then it is ELU",
    ),
    "selu": Usage(
        "many dense layers, no normalisation, LeCun's initialisation (Klambauer et al. 2017)",
        "initial weights are others, or dropout is the plain one: its balance is lost",
    ),
    "gelu": Usage(
        "the network is a transformer: BERT and ViT use it",
        "the chip is small, or an exact 0 is wanted: ReLU has no exponential",
    ),
    "silu": Usage(
        "the network is deep and modern: EfficientNet uses it, Llama in its gates",
        "the chip is small: hard swish is much the same without an exponential",
    ),
    "mish": Usage(
        "you would use SiLU: it is much the same (YOLOv4 uses it)",
        "time matters: SiLU takes less",
    ),
    "softplus": Usage(
        "the output must be positive and smooth, as a variance",
        "the layer is hidden: it is never negative and never off, and ReLU is cheaper",
    ),
    "softsign": Usage(
        "tanh flattens too soon: its tails die away more slowly (Glorot & Bengio 2010)",
        "the network is deep: its slope is 1/4 already at z = 1",
    ),
    "hardtanh": Usage(
        "tanh is wanted and must be cheap, as on small chips",
        "sums are large: beyond its ends the slope is exactly 0",
    ),
    "relu6": Usage(
        "numbers have few bits, as on phones: no output above 6 (MobileNetV2)",
        "numbers have bits enough: above 6 it is flat, for no gain",
    ),
    "hard_swish": Usage(
        "SiLU is wanted on a phone: no exponential (MobileNetV3)",
        "there is a graphics card: SiLU is smooth, and costs little there",
    ),
    "maxout": Usage(
        "the function itself should be learned, with dropout (Goodfellow et al. 2013)",
        "memory counts: it has two weights for every one",
    ),
}
