"""`gradflow.watch` in plain loops: the same numbers as Lightning's callbacks, and nothing left behind."""

import copy

import pytest
import torch
from any_modules import Classifier, fit
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.utils.tensorboard import SummaryWriter

import gradflow
from gradflow.errors import ConfigError
from gradflow.measure import gradient_meter


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))


def numbers(rows=12):
    return torch.randn(rows, 4, generator=torch.Generator().manual_seed(0)), torch.arange(rows) % 3


def train(model, optimizer, *, data=None, batch_size=2, clip=None):
    x, y = data or numbers()
    for start in range(0, len(x), batch_size):
        optimizer.zero_grad()
        part = slice(start, start + batch_size)
        nn.functional.cross_entropy(model(x[part]), y[part]).backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()


def sgd(model):
    return torch.optim.SGD(model.parameters(), lr=0.05)


@pytest.mark.filterwarnings("ignore:.*does not have many workers")
def test_a_loop_has_the_numbers_of_lightnings_callbacks():
    model = network()
    optimizer = sgd(model)
    with gradflow.watch(model, optimizer, abs_mean=True) as watch:
        train(model, optimizer)
        with watch.validation(), torch.no_grad():
            model.eval()(numbers()[0])
    found = watch.results()
    _, rows = fit(Classifier(network(), numbers()), callbacks=gradflow.monitors(submodule="network", abs_mean=True))
    assert set(found) == {
        tag for tag in rows.tags() if tag.partition("/")[0] not in ("train_loss", "val_loss", "epoch")
    }
    for tag, curve in found.items():
        assert dict(zip(curve.steps.tolist(), curve.values.tolist(), strict=True)) == pytest.approx(rows.curve(tag))
    assert found["dead_units/total"].steps.tolist() == [6]


def test_without_an_optimizer_every_one_that_updates_the_network_is_watched():
    model, other = network(), network()
    optimizers = [torch.optim.SGD(part.parameters(), lr=0.05) for part in (model[:2], model[2:], other)]
    with gradflow.watch(model) as watch:
        x, y = numbers()
        for part in (model, other):
            nn.functional.cross_entropy(part(x), y).backward()
        for optimizer in optimizers:
            optimizer.step()
    found = watch.results()
    assert watch.step == 2
    assert found["grad_norm/total_0"].steps.tolist() == [0]
    assert found["grad_norm/total_1"].steps.tolist() == [1]
    assert {"grad_norm/00_0", "grad_norm/01_2", "grad_norm/02_4"} <= set(found)
    before = len(found["grad_norm/total_0"].steps)
    optimizers[0].step()
    assert len(watch.results()["grad_norm/total_0"].steps) == before  # closed


def test_what_a_loop_clips_is_measured_clipped():
    model = network()
    optimizer = sgd(model)
    with gradflow.watch(model, optimizer) as watch:
        train(model, optimizer, clip=1e-3)
    assert watch.results()["grad_norm/total"].values == pytest.approx([1e-3] * 6, rel=1e-2)


def test_a_grad_scalers_factor_is_taken_out_of_a_fused_optimizers_gradients():
    model = network()
    plain, scaled = copy.deepcopy(model), copy.deepcopy(model)
    norms = []
    for one, scaler in ((plain, None), (scaled, torch.amp.GradScaler("cpu", init_scale=1024.0))):
        optimizer = torch.optim.SGD(one.parameters(), lr=0.05, fused=True)
        with gradflow.watch(one, optimizer) as watch:
            loss = nn.functional.cross_entropy(one(numbers()[0]), numbers()[1])
            (loss if scaler is None else scaler.scale(loss)).backward()
            optimizer.step() if scaler is None else scaler.step(optimizer)
        norms.append(watch.results()["grad_norm/total"].values[0])
    assert norms[1] == pytest.approx(norms[0], rel=1e-6)


def test_results_are_written_too_and_memory_stays_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(gradient_meter, "FLUSH", 4)
    model = network()
    optimizer = sgd(model)
    writer = SummaryWriter(tmp_path)
    with gradflow.watch(model, optimizer, every_n_steps=2, writer=writer) as watch:
        train(model, optimizer, data=numbers(10))
        assert watch.results()["grad_norm/total"].steps.tolist() == [1, 3]  # the last window has one step so far
    writer.close()
    curve = watch.results()["grad_norm/total"]
    assert curve.steps.tolist() == [1, 3, 4]
    written = EventAccumulator(str(tmp_path)).Reload().Scalars("grad_norm/total")
    assert [event.step for event in written] == [1, 3, 4]
    assert [event.value for event in written] == pytest.approx(curve.values, rel=1e-6)


def test_a_watched_network_trains_to_the_same_bits_and_keeps_no_hook():
    states = []
    for watched in (False, True):
        model = network()
        optimizer = sgd(model)
        watch = gradflow.watch(model, optimizer) if watched else None
        train(model, optimizer)
        if watch is not None:
            watch.close()
            assert not optimizer._optimizer_step_pre_hooks
            assert not any(part._forward_pre_hooks for part in model.modules())
        states.append(torch.cat([value.flatten() for value in model.state_dict().values()]))
    assert torch.equal(*states)


def test_an_optimizer_of_something_else_is_refused():
    with pytest.raises(ConfigError, match="watch: no optimizer has a parameter of Sequential; give those that do"):
        gradflow.watch(network(), sgd(network()))


def test_steps_are_averaged_over_at_least_one():
    with pytest.raises(ConfigError, match="every_n_steps=0: needs at least 1"):
        gradflow.watch(network(), every_n_steps=0)


@pytest.fixture
def group(tmp_path):
    """A process group of one."""
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'group'}", rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


@pytest.mark.usefixtures("group")
def test_a_sharded_network_is_refused_by_name():
    model = fully_shard(network(), mesh=init_device_mesh("cpu", (1,)))
    with pytest.raises(ConfigError, match="watch: the network is sharded"):
        gradflow.watch(model, sgd(model))
