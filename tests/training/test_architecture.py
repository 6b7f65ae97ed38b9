"""Networks of other people: what they get, and what is refused."""

import json

import pytest
import torch
from torch import nn

from gradflow.errors import ConfigError
from gradflow.sweep.checks import objects
from gradflow.training import build
from gradflow.training.architecture import architecture

QUICK = ("callbacks=none", "trainer=cpu", "trainer.max_epochs=1", "threads=1", "data.batch_size=120")


def own(name, *more):
    return ("model=custom", f"model._target_=own_networks.{name}", *more)


def test_a_network_gets_what_it_takes(compose):
    cfg = compose(*own("Highway", "activation=prelu", "blocks=3", "width=8"))
    network = architecture(cfg, build.data(cfg))
    assert len(network.candidates) == 3
    assert network.stem[1].weight.shape == (8, 64)
    assert sum(isinstance(one, nn.PReLU) for one in network.modules()) == 4


def test_other_peoples_networks_get_activations_that_work_out_of_place(compose):
    cfg = compose(*own("Highway", "blocks=1", "width=8"))
    assert cfg.activation.inplace
    assert not architecture(cfg, build.data(cfg)).stem[2].inplace


def test_a_network_without_the_argument_gets_the_activation_all_the_same(compose):
    cfg = compose(*own("Plain", "activation=tanh", "+model.hidden=6"))
    network = architecture(cfg, build.data(cfg))
    assert [type(one) for one in network.features] == [nn.Conv2d, nn.BatchNorm2d, nn.Tanh, nn.Conv2d]
    assert isinstance(network.relu, nn.Tanh)
    assert network.features[0].weight.shape == (6, 1, 3, 3)


def test_torchs_initialisation_is_the_networks_own(compose):
    cfg = compose(*own("Plain", "seed=3"))
    data = build.data(cfg)
    first, second = build.network(cfg, data), build.network(cfg, data)
    torch.manual_seed(0)
    other = architecture(cfg, data)
    assert torch.equal(first.head.weight, second.head.weight)
    assert not torch.equal(first.head.weight, other.head.weight)


def test_other_schemes_redraw_every_layer_with_the_gain_of_the_activation(compose):
    cfg = compose(*own("Highway", "activation=tanh", "init=xavier", "blocks=1", "width=500"))
    network = build.network(cfg, build.data(cfg))
    hidden, head = network.candidates[0][0].weight.detach(), network.head.weight.detach()
    assert float(hidden.std()) == pytest.approx(5 / 3 * (2 / 1000) ** 0.5, rel=0.01)  # tanh's gain is 5/3
    assert float(head.std()) == pytest.approx((2 / 510) ** 0.5, rel=0.03)
    assert not network.gates[0].bias.any()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ("CallsReLU", "activation=tanh"),
            "activation=tanh model=custom .*: calls relu in its forward",
        ),
        (("linear",), "has no activation module of torch.nn"),
        (("in_a_list",), r"own_networks\.in_a_list: returns list; return a torch\.nn\.Module"),
        (("TwoAnswers",), r"own_networks\.TwoAnswers: the network returns tuple; return one tensor"),
        (("for_mnist",), r"model\._target_=own_networks\.for_mnist: fails on the data: .*2x64 and 784x4"),
        (("Plain", "activation=maxout"), "activation=maxout .*: takes 2 inputs per output"),
        (("Plain", "+model.num_classes=7"), r"shape \(2, 7\) for 2 samples and 10 outputs; make it take `num_outputs`"),
    ],
)
def test_a_network_that_does_not_fit_is_one_line(compose, overrides, message):
    cfg = compose(*own(*overrides))
    with pytest.raises(ConfigError, match=message):
        objects.check_builds(cfg, build.data(cfg))


def test_a_function_may_stay_where_it_is_what_is_swept(compose):
    cfg = compose(*own("CallsReLU"), *QUICK)
    objects.check_builds(cfg, build.data(cfg))


def test_only_knobs_that_the_network_takes_are_axes(command, tmp_path):
    sweep = ("-m", *own("Highway,own_networks.Plain"), *QUICK)
    assert command(*sweep, "activation=relu,tanh").status == 0
    records = [json.loads(file.read_text()) for file in tmp_path.glob("outputs/digits_custom/*/seed=0/run.json")]
    assert sorted((one["axes"]["model"], one["axes"].get("blocks")) for one in records) == [
        *[("Highway", 4)] * 2,
        *[("Plain", None)] * 2,
    ]
    assert not any("width" in one["axes"] for one in records)
    refused = command(*own("Plain"), *QUICK, "blocks=4")
    assert (refused.status, "blocks=4: model=custom (own_networks.Plain) takes no `blocks`" in refused.err) == (2, True)


def test_the_headline_may_be_a_layer_of_anybodys_network(compose):
    cfg = compose(*own("Plain"), "headline=dead_units/01_relu")
    assert objects.headline(cfg, build.data(cfg)) == "dead_units/01_relu"
    cfg.headline = "grad_rms/01_relu_"
    with pytest.raises(ConfigError, match=r"no such layer; did you mean 01_relu.*02_head"):
        objects.headline(cfg, build.data(cfg))


def test_batch_normalisation_in_several_processes_is_refused_whoever_built_it(compose):
    cfg = compose(*own("Plain"), "trainer=ddp", "trainer.devices=2", "trainer.accelerator=cpu")
    with pytest.raises(ConfigError, match=r"model\._target_=own_networks\.Plain: on CPUs .*; use trainer\.devices=1"):
        objects.check_builds(cfg, build.data(cfg))
