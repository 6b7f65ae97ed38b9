"""What the decision tree recommends for hidden layers.

Each recommendation says what it rests on: what gradflow measured (docs/results.md, docs/residual_and_transformer.md,
docs/reproductions.md), or papers alone.
"""

from gradflow.lesson.decision_tree import Advice
from gradflow.lesson.numbers import percent, short
from gradflow.lesson.playground_address import address
from gradflow.runs.health import DEAD_FRACTION

ACTIVATION, INITIALISATION, NORMALISATION = "activation", "initialisation", "normalisation"
RELU6_LARGEST, LEVELS = 6, 255  # ReLU6's largest output, and the steps of an 8-bit number

SHALLOW = Advice(
    "relu",
    "ReLU with He initialisation",
    {ACTIVATION: "ReLU", INITIALISATION: "He", NORMALISATION: "none needed"},
    "Its slope is 1 wherever it is on, so the gradient arrives, and it is as cheap as any. He initialisation makes "
    "up for the half that it cuts away.",
    "Firm: in networks of one, four and eight layers on the digits without normalisation, ReLU scored higher than "
    "sigmoid at each depth, 95 to 97 % against 87, 54 and 20 % (eight seeds). Thin against tanh or GELU.",
    "layer = nn.Linear(64, 64)\n"
    'nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")\n'
    "nn.init.zeros_(layer.bias)\n"
    "block = nn.Sequential(layer, nn.ReLU())",
    ("relu",),
    address({"data": "moons", "depth": 2}, {"activation": "relu"}, {"activation": "tanh"}),
)
LEAKY = Advice(
    "leaky-relu",
    "Leaky ReLU, and a lower learning rate",
    {ACTIVATION: "leaky ReLU, slope 0.01", INITIALISATION: "He", NORMALISATION: "batch normalisation helps, too"},
    "Its slope is nowhere 0, so no unit is beyond recovery. But a large rate or a bad bias is what kills units: mend "
    "that as well.",
    "Firm that no unit stays dead: the slope is at least 0.01. Thin that accuracy rises: Maas et al. 2013 found hardly "
    "a difference to ReLU, and a lower rate alone often does more.",
    "layer = nn.Linear(64, 64)\n"
    'nn.init.kaiming_normal_(layer.weight, a=0.01, nonlinearity="leaky_relu")\n'
    "nn.init.zeros_(layer.bias)\n"
    "block = nn.Sequential(layer, nn.LeakyReLU(0.01))",
    ("leaky_relu",),
    address({"preset": "leaky-relu-cures"}),
)
DEEP_PLAIN = Advice(
    "deep-relu",
    "ReLU with He initialisation; the initialisation matters most",
    {ACTIVATION: "ReLU", INITIALISATION: "He", NORMALISATION: "none"},
    f"PyTorch's default weights make each ReLU layer shrink the signal to √(1/6) = {short((1 / 6) ** 0.5)}; He "
    "initialisation keeps its size. Sigmoid does not work here: its slope is at most 0.25.",
    "Firm: He et al. 2015 (arXiv:1502.01852) trained 30 ReLU layers with it and not with Xavier's; here eight layers "
    "score 97 %, sigmoid 20 % (eight seeds). Tanh and GELU do about as well, each with weights scaled by its own gain.",
    "layers = []\n"
    "for _ in range(20):\n"
    "    layer = nn.Linear(64, 64)\n"
    '    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")\n'
    "    nn.init.zeros_(layer.bias)\n"
    "    layers += [layer, nn.ReLU()]\n"
    "network = nn.Sequential(*layers)",
    ("relu",),
    address({"preset": "he-or-not"}),
)
BATCH_NORM = Advice(
    "batch-norm",
    "Batch normalisation, then ReLU",
    {ACTIVATION: "ReLU", INITIALISATION: "the framework's default will do", NORMALISATION: "batch, before the ReLU"},
    "Normalisation keeps z where every function has slope, so up to about ten layers the activation hardly matters: "
    "take the cheapest. In deeper networks add skips: with ReLU, the gradient grows by a fifth a layer.",
    "Firm that normalisation helps: eight sigmoid layers go from 20 % to 98 %. Thin on which activation: ReLU has 97 % "
    "there, and the two differ for certain at one depth of three (eight seeds). The fifth: Yang et al. 2019 "
    "(arXiv:1902.08129).",
    "block = nn.Sequential(nn.Linear(64, 64, bias=False), nn.BatchNorm1d(64), nn.ReLU())",
    ("relu",),
    address(
        {"depth": 10},
        {"activation": "sigmoid", "normalisation": "batch"},
        {"activation": "relu", "normalisation": "batch"},
    ),
)
RESIDUAL = Advice(
    "residual",
    "Residual connections with ReLU, and small initial weights",
    {
        ACTIVATION: "ReLU; GELU does as well",
        INITIALISATION: "the framework's default, not He",
        NORMALISATION: "optional",
    },
    "The skip passes the gradient on with slope 1, whatever the activation does. Weights that would be right without "
    "skips make the sum grow from block to block.",
    "Firm for the gradient: its gain per layer is 0.97 or more under every activation in residual networks of up to 26 "
    "layers. Thin on which activation: with three seeds no pair is decided. Small weights: Zhang et al. 2019 "
    "(arXiv:1901.09321).",
    "class Block(nn.Module):\n"
    "    def __init__(self, width):\n"
    "        super().__init__()\n"
    "        self.layer = nn.Linear(width, width)\n\n"
    "    def forward(self, x):\n"
    "        return x + torch.relu(self.layer(x))",
    ("relu", "gelu"),
    address(
        {"preset": "he-or-not"},
        {"activation": "relu", "initialisation": "torch", "rate": 0.03},
        {"activation": "relu", "initialisation": "torch", "rate": 0.03, "residual": True},
    ),
)
CONV = Advice(
    "conv",
    "Batch normalisation, then ReLU",
    {ACTIVATION: "ReLU", INITIALISATION: "He", NORMALISATION: "batch, between convolution and ReLU"},
    "ReLU is cheap where there are millions of entries, and batch normalisation keeps most of its units alive. If "
    f"more than {percent(DEAD_FRACTION)} of a layer's units die all the same, take leaky ReLU.",
    "Firm against sigmoid: ReLU scored higher at three depths of five on the digits, two are open (eight seeds). Thin "
    "against the rest: on CIFAR-10, LeNet-5 reached 56 % with ReLU and 55 % with tanh (three seeds each).",
    "layer = nn.Conv2d(64, 64, 3, padding=1, bias=False)\n"
    'nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")\n'
    "block = nn.Sequential(layer, nn.BatchNorm2d(64), nn.ReLU())",
    ("relu", "leaky_relu"),
    address({"depth": 6}, {"activation": "relu", "normalisation": "batch"}, {"activation": "relu"}),
)
EIGHT_BITS = Advice(
    "relu6",
    "ReLU6",
    {ACTIVATION: "ReLU6", INITIALISATION: "He", NORMALISATION: "batch, folded into the convolution afterwards"},
    f"Outputs stay between 0 and {RELU6_LARGEST}, so the {LEVELS} steps of an 8-bit number are "
    f"{short(RELU6_LARGEST / LEVELS, 2)} apart, fine enough for every layer.",
    "From papers: MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381) takes it for its robustness in low-precision "
    "arithmetic. gradflow measures no quantised network.",
    "block = nn.Sequential(nn.Conv2d(64, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU6())",
    ("relu6",),
    address({"depth": 4}, {"activation": "relu6"}, {"activation": "relu"}),
)
PHONE = Advice(
    "hard-swish",
    "Hard swish in the deeper half, ReLU before it",
    {ACTIVATION: "hard swish; ReLU in the first half", INITIALISATION: "He", NORMALISATION: "batch"},
    "Hard swish is SiLU drawn with straight lines and one parabola: no exponential to compute. Deep in the network the "
    "images are small, so it costs little there.",
    "From papers: MobileNetV3 (Howard et al. 2019, arXiv:1905.02244) measured it on phones. gradflow measures no "
    "phones; compare it with ReLU on yours.",
    "block = nn.Sequential(nn.Conv2d(64, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.Hardswish())",
    ("hard_swish", "relu"),
    address({"depth": 4}, {"activation": "hard_swish"}, {"activation": "relu"}),
)
TRANSFORMER = Advice(
    "transformer",
    "GELU in the MLP of each layer, with layer normalisation",
    {ACTIVATION: "GELU", INITIALISATION: "the framework's default", NORMALISATION: "layer, before attention and MLP"},
    "It is what most transformers are trained and published with, so that recipes and weights fit. Skips and "
    "normalisation carry the gradient; the function hardly matters.",
    "Thin: in small vision transformers on the digits, ReLU and GELU differ by 0.6 points at most, in both directions "
    "(three seeds, undecided). Sigmoid is 1 to 3 points lower.",
    "layer = nn.TransformerEncoderLayer(\n"
    '    d_model=64, nhead=4, dim_feedforward=256, activation="gelu", norm_first=True, batch_first=True\n'
    ")",
    ("gelu",),
    address(
        {"depth": 8},
        {"activation": "gelu", "initialisation": "torch", "normalisation": "layer", "residual": True},
        {"activation": "relu", "initialisation": "torch", "normalisation": "layer", "residual": True},
    ),
)
GATED = Advice(
    "gates",
    "Leave LSTM and GRU as they are: sigmoid gates, tanh states",
    {ACTIVATION: "sigmoid in the gates, tanh for the state", INITIALISATION: "the framework's", NORMALISATION: "none"},
    "A gate must lie between 0, shut, and 1, open: that is a sigmoid. The state is carried on by a sum, so the "
    "gradient passes from step to step without a slope that shrinks it.",
    "From papers: Hochreiter & Schmidhuber 1997. gradflow trains no recurrent network. PyTorch fixes the functions; "
    "with others, Keras loses its fast GPU code.",
    "layer = nn.LSTM(input_size=32, hidden_size=64, batch_first=True)",
    ("sigmoid", "tanh"),
)
RECURRENT = Advice(
    "recurrent",
    "Tanh with an orthogonal matrix from step to step",
    {
        ACTIVATION: "tanh",
        INITIALISATION: "orthogonal for the recurrent matrix",
        NORMALISATION: "none; clip the gradient",
    },
    "The same layer is applied again and again, a very deep network: tanh keeps the state within ±1, and an orthogonal "
    "matrix neither stretches nor shrinks it.",
    "From papers: Saxe et al. 2013 (arXiv:1312.6120) on orthogonal weights, Pascanu et al. 2013 (arXiv:1211.5063) on "
    "clipping. gradflow trains no recurrent network. An LSTM usually remembers longer.",
    'layer = nn.RNN(input_size=32, hidden_size=64, nonlinearity="tanh", batch_first=True)\n'
    "nn.init.orthogonal_(layer.weight_hh_l0)\n"
    "# after loss.backward(), before optimizer.step():\n"
    "nn.utils.clip_grad_norm_(layer.parameters(), 1.0)",
    ("tanh",),
    address(
        {"depth": 10}, {"activation": "tanh", "initialisation": "torch"}, {"activation": "tanh", "initialisation": "he"}
    ),
)
