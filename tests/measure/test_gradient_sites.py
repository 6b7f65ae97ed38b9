"""Which modules are sites, what belongs to each, and in which order they stand."""

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm
from torchmetrics import MeanMetric

from gradflow.measure.gradient_quantities import GradientQuantities
from gradflow.measure.gradient_record import GradientRecord
from gradflow.measure.gradient_sites import ExecutionOrder, gradient_sites
from gradflow.models.mlp import MLP
from gradflow.runs import tags
from gradflow.runs.metrics import MetricTable


def shapes(network, order=None):
    return {site.name: [tuple(shape) for shape in site.shapes] for site in gradient_sites(network, order)}


def seen(network, *inputs):
    listener = ExecutionOrder(network)
    network(*inputs)
    listener.stop()
    return listener.order


class Own(nn.Module):
    """A matrix of its own."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2, 3))


class Metered(nn.Module):
    """A network with a metric that has a layer inside."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.metric = MeanMetric()
        self.metric.features = nn.Linear(5, 5)


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (nn.Conv2d(3, 4, 5), {"00_0": [(4, 3, 5, 5)]}),
        (nn.ConvTranspose1d(3, 4, 5, bias=False), {"00_0": [(3, 4, 5)]}),
        (nn.Bilinear(2, 3, 4), {"00_0": [(4, 2, 3)]}),
        (nn.EmbeddingBag(5, 2), {"00_0": [(5, 2)]}),
        (nn.MultiheadAttention(4, 2), {"00_0": [(12, 4)], "01_0.out_proj": [(4, 4)]}),
        (nn.MultiheadAttention(4, 2, kdim=3), {"00_0": [(4, 4), (4, 3), (4, 4)], "01_0.out_proj": [(4, 4)]}),
        (nn.LSTM(2, 3), {"00_0": [(12, 2), (12, 3)]}),
        (
            nn.GRU(2, 3, num_layers=2, bidirectional=True),
            {"00_0.l0": [(9, 2), (9, 3)] * 2, "01_0.l1": [(9, 6), (9, 3)] * 2},
        ),
        (nn.RNNCell(2, 3), {"00_0": [(3, 2), (3, 3)]}),
        (weight_norm(nn.Linear(2, 3)), {"00_0": [(3, 1), (3, 2)]}),
        (Own(), {"00_0": [(2, 3)]}),
        (Metered(), {"00_0.layer": [(2, 2)]}),
        (nn.LayerNorm((2, 3)), {}),
        (nn.PReLU(), {}),
    ],
    ids=lambda one: type(one).__name__,
)
def test_sites_have_their_weights(module, expected):
    assert shapes(nn.Sequential(module)) == expected


def test_networks_of_the_package_keep_their_names():
    assert list(shapes(MLP((5,), 3, nn.ReLU, blocks=2, width=4))) == ["01_block", "02_block", "03_head"]
    assert not ExecutionOrder(MLP((5,), 3, nn.ReLU, blocks=2, width=4))._handles


class Crossed(nn.Module):
    """Executed against the order of definition; `bypassed` is used and not called, `never` is not used."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(4, 4)
        self.inner = nn.ModuleDict({"never": nn.Linear(4, 4), "bypassed": nn.Linear(4, 4)})
        self.first = nn.Linear(4, 4)

    def forward(self, x):
        x = nn.functional.linear(self.first(x), self.inner["bypassed"].weight)
        return self.last(x)


def test_what_is_not_called_stands_behind_what_is_defined_before_it():
    network = Crossed()
    listener = ExecutionOrder(network)
    assert list(shapes(network)) == ["00_last", "01_inner.never", "02_inner.bypassed", "03_first"]
    network(torch.ones(1, 4))
    assert list(shapes(network, listener.order)) == ["00_first", "01_last", "02_inner.never", "03_inner.bypassed"]
    listener.stop()
    assert not any(part._forward_pre_hooks for part in network.modules())


def test_an_attentions_projections_stand_together_where_it_is_called():
    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    network = nn.Sequential(nn.Linear(4, 4), layer, nn.Linear(4, 2))
    found = [site.path for site in gradient_sites(network, seen(network, torch.ones(1, 2, 4)))]
    assert found == ["0", "1.self_attn", "1.self_attn.out_proj", "1.linear1", "1.linear2", "2"]


def test_shared_weights_belong_to_the_module_that_is_executed_first():
    network = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4))
    network[1].weight = network[0].weight
    (site,) = gradient_sites(network, seen(network, torch.ones(1, 4)))
    assert (site.path, site.is_head) == ("0", True)


def test_tags_of_several_optimizers_are_totals_and_no_layers():
    networks = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2)})
    record = GradientRecord(list(networks["b"].parameters()), abs_sums=True)
    networks["b"](torch.ones(1, 2)).sum().backward()
    record.append(0)
    record.append(0)  # the second evaluation of one step
    steps, _, values = record.take(9)
    quantities = GradientQuantities(record.parameters, gradient_sites(networks), optimizer=1)
    columns = quantities.of(*record.split(values))
    assert steps.tolist() == [0]
    assert set(columns) == {"grad_norm/01_b", "grad_rms/01_b", "grad_norm/total_1", "grad_abs_mean_1"}
    assert list(tags.by_layer(columns, tags.GRAD_NORM)) == ["01_b"]
    table = MetricTable()
    assert table["grad_norm/total_1"].words == "gradient norm, optimizer 1"
    assert table["grad_norm/01_b"].words == "gradient norm, 01_b"
    assert table["grad_abs_mean_1"].is_logarithmic
