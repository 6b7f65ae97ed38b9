"""Every call of an activation in any network is seen, and counted as float64 and plain hooks count it."""

import copy

import pytest
import torch
import torch.nn.functional as F
import torchvision.models as zoo
from torch import nn
from torchmetrics.classification import MulticlassAccuracy

from gradflow.activations import Maxout
from gradflow.measure.unit_pass import UnitPass
from gradflow.models.layers import Layer
from gradflow.models.mlp import MLP

IMAGES = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def passed(network, *batches, **options):
    """A pass over batches, after which it has values."""
    unit_pass = UnitPass(network.eval(), **options)
    with torch.inference_mode(), unit_pass:
        for x in batches:
            network(x)
    return unit_pass


def sites(values, quantity="dead_units"):
    return [tag.removeprefix(f"{quantity}/") for tag in values if tag.startswith(quantity) and "total" not in tag]


@pytest.mark.parametrize(
    ("make", "count"),
    [
        (zoo.resnet18, 17),  # 8 blocks whose ReLU serves twice, and the stem's
        pytest.param(zoo.resnet50, 49, marks=pytest.mark.slow),
        pytest.param(lambda: zoo.googlenet(init_weights=False, aux_logits=True), 57, marks=pytest.mark.slow),
        pytest.param(lambda: zoo.googlenet(init_weights=False, aux_logits=False), 57, marks=pytest.mark.slow),
        (lambda: zoo.VisionTransformer(32, 8, 2, 2, 16, 24), 2),
        (lambda: zoo.SwinTransformer([4, 4], 8, [1, 1], [2, 2], [2, 2]), 2),
        (lambda: zoo.ConvNeXt([zoo.convnext.CNBlockConfig(8, 16, 1), zoo.convnext.CNBlockConfig(16, None, 1)]), 2),
        (lambda: zoo.mobilenet_v3_small(width_mult=0.25), 42),  # squeeze and excitation's too
    ],
)
def test_torchvisions_networks_have_all_their_sites_and_nothing_to_remark(make, count):
    unit_pass = passed(make(), IMAGES)
    values = unit_pass.values()
    assert unit_pass.remarks() == []
    names = sites(values)
    assert len(names) == len(sites(values, "dormant_units")) == count
    assert names == sorted(names)
    assert names[0].startswith("00_")


class Separate(nn.Module):
    """Torchvision's basic block with a module for each of its two ReLUs, in front of which a plain hook can stand."""

    def __init__(self, block):
        super().__init__()
        self.block, self.first, self.second = block, nn.ReLU(), nn.ReLU()

    def forward(self, x):
        out = self.first(self.block.bn1(self.block.conv1(x)))
        out = self.block.bn2(self.block.conv2(out))
        return self.second(out + (x if self.block.downsample is None else self.block.downsample(x)))


def test_resnet18_is_measured_as_hooks_measure_one_whose_relus_are_separate():
    torch.manual_seed(0)
    network = zoo.resnet18().eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.bias)
    separate = copy.deepcopy(network)
    for stage in (separate.layer1, separate.layer2, separate.layer3, separate.layer4):
        for index, block in enumerate(stage):
            stage[index] = Separate(block)
    found = []
    for module in separate.modules():
        if isinstance(module, Separate):
            for relu in (module.first, module.second):
                relu.register_forward_pre_hook(lambda _, inputs: found.append(inputs[0].clone()))
    separate(IMAGES)
    values = passed(network, IMAGES).values()
    assert [z.shape[1] for z in found] == [64] * 4 + [128] * 4 + [256] * 4 + [512] * 4
    dead = [float((z <= 0).transpose(0, 1).flatten(1).all(1).double().mean()) for z in found]
    low = [float((z <= 0).double().mean()) for z in found]
    assert [values[f"dead_units/{name}"] for name in sites(values)][1:] == dead
    assert [values[f"low_slope/{name}"] for name in sites(values)][1:] == low
    assert sum(dead) > 0


class Written(nn.Module):
    """Functions, methods, in place and a module of one's own, after linear layers of four units."""

    def __init__(self):
        super().__init__()
        self.layers_ = nn.ModuleList(nn.Linear(4, 4) for _ in range(5))
        self.swish = Swish()
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        a, b, c, d, e = self.layers_
        x = F.leaky_relu(a(x), 0.3, inplace=True)
        x = torch.tanh(b(x))
        x = c(x).sigmoid_()
        x = self.swish(d(x))
        return self.relu(e(self.relu(x)))


class Swish(nn.Module):
    def forward(self, z):
        return z * torch.sigmoid(z)


def derived(network, x):
    """Dead, low and dormant fractions of `Written` by formula, in float64."""
    weights = [(layer.weight.double(), layer.bias.double()) for layer in network.layers_]
    rows = []

    def note(z, a, slope, largest):
        mean_U = a.abs().mean(0)
        rows.append(
            (
                float((slope.abs().amax(0) <= 1e-6 * largest).double().mean()),
                float((slope.abs() < 0.05 * largest).double().mean()),
                float((mean_U <= 0.025 * mean_U.mean()).double().mean()),
            )
        )
        return a

    def affine(x, i):
        return x @ weights[i][0].T + weights[i][1]

    x = x.double()
    z = affine(x, 0)
    x = note(z, torch.where(z > 0, z, 0.3 * z), torch.where(z > 0, 1.0, 0.3), 1)
    z = affine(x, 1)
    x = note(z, z.tanh(), 1 - z.tanh() ** 2, 1)
    z = affine(x, 2)
    s = 1 / (1 + (-z).exp())
    x = note(z, s, s * (1 - s), 0.25)
    z = affine(x, 3)
    s = 1 / (1 + (-z).exp())
    x = note(z, z * s, s * (1 + z * (1 - s)), 1.0998393194)
    x = note(x, x.clamp(min=0), (x > 0).double(), 1)
    z = affine(x, 4)
    note(z, z.clamp(min=0), (z > 0).double(), 1)
    return rows


def test_functions_in_place_and_shared_modules_as_float64_has_them():
    torch.manual_seed(0)
    network = Written()
    for layer in network.layers_:
        nn.init.normal_(layer.weight, std=3)
        nn.init.normal_(layer.bias, std=3)
    x = torch.randn(40, 4)
    values = passed(network, *x.split(16)).values()
    names = ["00_leaky_relu", "01_tanh", "02_sigmoid", "03_swish", "04_relu", "05_relu"]
    assert sites(values) == names
    expected = derived(network, x)
    quantities = ("dead_units", "low_slope", "dormant_units")
    found = [values[f"{quantity}/{name}"] for name in names for quantity in quantities]
    assert found == pytest.approx([value for row in expected for value in row])
    assert any(0 < low < 1 for _, low, _ in expected)
    assert {dead for dead, _, _ in expected} != {0.0}


@pytest.mark.parametrize(
    ("function", "module"),
    [
        (lambda z: F.elu(z, 0.5), nn.ELU(0.5)),
        (lambda z: F.hardtanh(z, min_val=-0.1, max_val=0.2), nn.Hardtanh(-0.1, 0.2)),
        (lambda z: F.gelu(z, approximate="tanh"), nn.GELU("tanh")),
        (lambda z: F.softplus(z, 3.0), nn.Softplus(3.0)),
        (lambda z: F.prelu(z, torch.tensor([0.5])), nn.PReLU(init=0.5)),
        (lambda z: F.threshold(z, 0.3, 0.0), nn.Threshold(0.3, 0.0)),
        (lambda z: F.rrelu(z, 0.1, 0.2), nn.RReLU(0.1, 0.2)),
        (lambda z: torch.celu_(z, alpha=2.0), nn.CELU(2.0)),
        (F.logsigmoid, nn.LogSigmoid()),
        (F.mish, nn.Mish()),
        (lambda z: z.relu_(), nn.ReLU()),
        (torch.special.expit, nn.Sigmoid()),
    ],
)
def test_a_function_counts_as_the_module_of_the_same_arguments(function, module):
    torch.manual_seed(0)
    layer = nn.Linear(3, 8)
    x = 4 * torch.randn(20, 3)
    values = passed(Calls(layer, function), x).values()
    expected = passed(nn.Sequential(layer, module), x).values()
    assert list(values.values()) == list(expected.values())
    assert len(values) == 6


class Calls(nn.Module):
    def __init__(self, layer, function):
        super().__init__()
        self.layer = layer
        self.function = function

    def forward(self, x):
        return self.function(self.layer(x))


class SharedReLU(nn.Module):
    """Two layers, the first all dead and the second alive, and one ReLU."""

    def __init__(self, *, listed):
        super().__init__()
        self.first, self.second, self.relu = nn.Linear(3, 4), nn.Linear(4, 4), nn.ReLU()
        nn.init.constant_(self.first.bias, -100)
        nn.init.constant_(self.second.bias, 100)
        if listed:
            self.layers = [Layer("01_first", self.first, self.relu), Layer("02_second", self.second, self.relu)]

    def forward(self, x):
        return self.relu(self.second(self.relu(self.first(x))))


@pytest.mark.parametrize(
    ("listed", "names"), [(False, ["00_relu", "01_relu"]), (True, ["01_first", "02_second"])], ids=["any", "listed"]
)
def test_a_module_used_twice_is_two_sites(listed, names):
    values = passed(SharedReLU(listed=listed), torch.randn(5, 3)).values()
    assert [values[f"dead_units/{name}"] for name in (*names, "total")] == [1, 0, 0.5]


class ListedTokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.relu, self.head = nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 2)
        with torch.no_grad():
            self.linear.bias.copy_(torch.tensor([-100.0, 100] * 3))
        self.layers = [Layer("01_block", self.linear, self.relu), Layer("02_head", self.head, None)]

    def forward(self, x):
        return self.head(self.relu(self.linear(x)))


def test_units_of_tokens_are_counted_in_a_network_that_lists_its_layers():
    values = passed(ListedTokens(), torch.randn(4, 5, 3)).values()
    assert values["dead_units/01_block"] == 0.5
    values = passed(MLP((4,), 2, Maxout, blocks=2, width=3), torch.randn(4, 4)).values()
    assert sites(values) == []
    assert sites(values, "dormant_units") == ["01_block", "02_block"]


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_torchs_transformer_encoder_is_seen_in_spite_of_its_fast_path(norm_first, activation):
    layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True, norm_first=norm_first, activation=activation)
    with torch.no_grad():
        layer.linear1.bias[:3] = -100
    encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    x = torch.randn(2, 5, 8)
    unit_pass = passed(encoder, x)
    values = unit_pass.values()
    assert sites(values) == [f"00_layers.0.{activation}", f"01_layers.1.{activation}"]
    assert values[f"dead_units/00_layers.0.{activation}"] == 0.25
    assert values[f"dead_units/01_layers.1.{activation}"] >= 0.25
    assert unit_pass.remarks() == []
    with torch.inference_mode(), UnitPass(encoder):
        watched = encoder(x)
    torch.testing.assert_close(watched, encoder(x))


class Recurrent(nn.Module):
    def __init__(self, part):
        super().__init__()
        self.part, self.head = part, nn.Linear(4, 3)

    def forward(self, x):
        out = self.part(x)
        return torch.relu(self.head(torch.tanh(out[0] if isinstance(out, tuple) else out)))


@pytest.mark.parametrize(
    ("part", "name"),
    [
        (nn.LSTM(4, 4, batch_first=True), "part (LSTM)"),
        (nn.GRU(4, 4), "part (GRU)"),
        (nn.GRUCell(4, 4), "part (GRUCell)"),
    ],
)
def test_activations_inside_recurrent_modules_are_named_as_not_seen(part, name):
    unit_pass = passed(Recurrent(part), torch.randn(2, 4) if "Cell" in name else torch.randn(2, 5, 4))
    assert sites(unit_pass.values()) == ["00_tanh", "01_relu"]
    assert unit_pass.remarks() == [
        f"activations inside {name} are computed where nobody sees them and are not measured"
    ]
    assert unit_pass.remarks() == []  # said once


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:FutureWarning")
def test_scripted_modules_are_named_as_not_seen():
    scripted = torch.jit.script(nn.Sequential(nn.Linear(4, 4), nn.ReLU()))
    unit_pass = passed(Recurrent(scripted), torch.randn(2, 4))
    assert sites(unit_pass.values()) == ["01_relu"]  # nobody knows where the tanh has its units
    unseen, lost = unit_pass.remarks()
    assert unseen.startswith("activations inside part (RecursiveScriptModule)")
    assert lost.startswith("units of tanh are not measured: no layer comes before it")


@pytest.mark.parametrize("how", ["torch.compile", "module.compile", "a part"])
def test_compiled_networks_are_measured_uncompiled(how):
    network = nn.Sequential(nn.Linear(4, 6), Calls(nn.Linear(6, 6), F.relu)).eval()
    expected = passed(network, x := torch.randn(8, 4)).values()
    compiled = torch.compile(network, backend="eager") if how == "torch.compile" else network
    if how == "module.compile":
        network.compile(backend="eager")
    if how == "a part":
        network[1].compile(backend="eager")
    with torch.no_grad():
        compiled(x)
    assert passed(compiled, x).values() == expected


class Own(nn.Module):
    """A leaf of somebody's own, whose forward is any function of one tensor."""

    def __init__(self, function, parameters=()):
        super().__init__()
        self.function = function
        for name, value in dict(parameters).items():
            self.register_parameter(name, nn.Parameter(value))

    def forward(self, x):
        return self.function(x)


@pytest.mark.parametrize(
    ("own", "seen"),
    [
        (Own(torch.sin), True),
        (Own(lambda x: x * torch.sigmoid(x)), True),
        (Own(lambda x: 3 * x + 1), False),
        (Own(lambda x: x.softmax(-1)), False),
        (Own(lambda x: x.cumsum(0)), False),
        (Own(lambda x: x, {"weight": torch.ones(3, 3)}), False),
        (Own(lambda x: x[:, :, 5].nonsense), False),
        (nn.Softmax(-1), False),
        (nn.Identity(), False),
    ],
)
def test_modules_of_ones_own_are_sites_if_they_bend_each_entry(own, seen):
    network = nn.Sequential(nn.Linear(3, 4), own)
    unit_pass = UnitPass(network)
    with unit_pass:
        network[0](torch.randn(2, 3))
        if seen:
            network(torch.randn(2, 3))
    assert sites(unit_pass.values()) == (["00_1"] if seen else [])
    assert any("no elementwise activation" in remark for remark in unit_pass.remarks()) != seen


def test_what_happens_outside_the_network_is_no_part_of_it():
    class Module(nn.Module):
        def __init__(self):
            super().__init__()
            self.net, self.loss, self.accuracy = (
                nn.Sequential(nn.Linear(3, 4), nn.ReLU()),
                Loss(),
                MulticlassAccuracy(4),
            )

        def forward(self, x):
            return self.net(x)

        def validate(self, x):
            logits = self(x)
            torch.sigmoid(logits)
            self.loss(logits, torch.zeros(2, dtype=torch.long))
            self.accuracy(logits, torch.zeros(2, dtype=torch.long))

    class Loss(nn.CrossEntropyLoss):
        def forward(self, outputs, targets):
            return super().forward(torch.tanh(outputs), targets)

    module = Module()
    unit_pass = UnitPass(module)
    with unit_pass:
        module.validate(torch.randn(2, 3))
    assert sites(unit_pass.values()) == ["00_net.1"]


def test_forward_may_be_called_directly_and_copies_are_networks_of_their_own():
    network = Calls(nn.Linear(3, 4), torch.relu)
    x = torch.randn(5, 3)
    unit_pass = UnitPass(network)
    with unit_pass:
        network.forward(x)
        copied = copy.deepcopy(network)
        nn.init.constant_(copied.layer.bias, 100.0)
        assert bool((copied(x) > 0).all())
    assert unit_pass.values()["low_slope/00_relu"] == float((network.layer(x) <= 0).double().mean())
    assert "forward" not in vars(network)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failing_forward_pass_leaves_nothing_behind(error):
    def fail(z):
        raise error

    network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), Calls(nn.Linear(4, 4), fail))
    unit_pass = UnitPass(network)
    with pytest.raises(error), unit_pass:
        network(torch.randn(2, 3))
    assert torch.overrides._get_current_function_mode_stack() == []
    assert "forward" not in vars(network)
    with unit_pass:
        network[:2](torch.randn(2, 3))
    assert sites(unit_pass.values()) == ["00_1"]


class Varying(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.steps, self.width = nn.Linear(4, 4), 1, 4

    def forward(self, x):
        for _ in range(self.steps):
            x = torch.tanh(self.layer(x))
        return torch.relu(F.linear(x, torch.ones(self.width, 4)))


def test_sites_may_come_and_go_and_keep_their_names():
    network, x = Varying(), torch.randn(2, 4)
    unit_pass = UnitPass(network)
    found = []
    for steps in (1, 3, 1):
        network.steps = steps
        with unit_pass:
            network(x)
        found.append(sites(unit_pass.values()))
    short, long = ["00_tanh", "01_relu"], ["00_tanh", "02_tanh", "03_tanh", "01_relu"]
    assert found == [short, long, short]
    with unit_pass:
        network(x)
        network.width = 7
        network(x)
    assert sites(unit_pass.values()) == ["00_tanh"]
    assert "their number changes from 4 to 7 between two calls" in unit_pass.remarks()[0]


def test_empty_batches_and_passes():
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3), nn.Tanh())
    x = torch.randn(3, 1, 2, 2)
    expected = passed(network, x).values()
    assert passed(network, x[:0], x, x[:0]).values() == expected
    nothing = passed(network)
    assert nothing.values() == {}
    assert nothing.remarks() == ["Sequential was not called, so that there are no units to measure"]
    only_empty = passed(network, x[:0])
    assert not [tag for tag in only_empty.values() if "low_slope" in tag]


def test_layout_and_precision_do_not_change_what_is_counted():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.Tanh())
    expected = passed(network, IMAGES).values()
    last = copy.deepcopy(network).to(memory_format=torch.channels_last)
    assert passed(last, IMAGES.to(memory_format=torch.channels_last)).values() == pytest.approx(expected)
    with torch.autocast("cpu", torch.bfloat16):
        assert passed(network, IMAGES).values() == pytest.approx(expected, abs=0.02)


def test_outputs_are_bit_identical_while_somebody_measures():
    network = zoo.resnet18().eval()
    expected = network(IMAGES)
    with UnitPass(network):
        assert torch.equal(network(IMAGES), expected)
    assert bool(expected.isfinite().all())


def test_a_pattern_that_fits_nothing_is_named_with_the_paths_that_there_are():
    network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.Tanh())
    unit_pass = passed(network, torch.randn(3, 4), units={"01_1": 1, "3": None})
    assert list(sites(unit_pass.values())) == ["00_1"]
    assert unit_pass.remarks() == ["units={'01_1': 1} fits no activation (there are 1, 3)"]
