"""Recorded gradients against hand backpropagation and plain training loops; when and how often they are written."""

import copy

import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import Callback
from scipy.stats import gmean
from small_runs import small_mlp, table
from torch import nn

from gradflow.callbacks.gradient_norms import GradientNorms
from gradflow.errors import Diverged
from gradflow.measure import gradients
from gradflow.models.conv import ConvStack

GROUPS = {"norm": "grad_norm/", "rms": "grad_rms/", "abs_mean": "grad_abs_mean", "flow": "grad_flow/"}


def of(scalars, tag):
    return np.array(list(scalars(tag).values()))


def by_hand(network, x, y):
    """Gradients of the mean cross-entropy of a tanh MLP in NumPy, [weight, bias] a layer in forward order."""
    layers = [layer.affine for layer in network.layers]
    weights = [layer.weight.detach().double().numpy() for layer in layers]
    biases = [layer.bias.detach().double().numpy() for layer in layers]
    inputs = [x.double().numpy()]
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        inputs.append(np.tanh(inputs[-1] @ weight.T + bias))
    logits = inputs[-1] @ weights[-1].T + biases[-1]
    delta = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    delta[np.arange(len(y)), y.numpy()] -= 1
    delta /= len(y)
    gradients = []
    for weight, values in zip(weights[::-1], inputs[::-1], strict=True):
        gradients.insert(0, [sum(np.outer(d, v) for d, v in zip(delta, values, strict=True)), delta.sum(0)])
        delta = (delta @ weight) * (1 - values**2)
    return gradients


def expected(gradients):
    """Every tag of one step from the gradients in float64; the last layer is the head."""
    norm = lambda *tensors: np.sqrt(sum((tensor**2).sum() for tensor in tensors))  # noqa: E731
    tags = [f"{i:02d}_{'head' if i == len(gradients) else 'block'}" for i in range(1, len(gradients) + 1)]
    rms = [norm(weight) / np.sqrt(weight.size) for weight, _ in gradients]
    every = [tensor for pair in gradients for tensor in pair]
    chain = np.log10(rms[1:-1])  # the first layer sees the data
    return {
        **{f"grad_norm/{tag}": norm(*pair) for tag, pair in zip(tags, gradients, strict=True)},
        **{f"grad_rms/{tag}": value for tag, value in zip(tags, rms, strict=True)},
        "grad_norm/total": norm(*every),
        "grad_abs_mean": np.mean([np.abs(tensor).mean() for tensor in every]),
        "grad_flow/first_to_last": rms[0] / rms[-2],
        **({"grad_flow/gain_per_layer": 10 ** -np.polyfit(range(len(chain)), chain, 1)[0]} if len(chain) > 1 else {}),
    }


class Batches(Callback):
    """Keeps every training batch and the weights that it met."""

    def __init__(self):
        self.seen = []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.seen.append((copy.deepcopy(pl_module.network), *batch))


@pytest.mark.parametrize("precision", ["32-true", "64-true"])
def test_every_quantity_at_every_step_is_that_of_hand_backpropagation(fit, precision):
    batches = Batches()
    run = fit(small_mlp(nn.Tanh, blocks=4), callbacks=[GradientNorms(), batches], precision=precision)
    rows = [expected(by_hand(*step)) for step in batches.seen]
    assert [len(y) for _, _, y in batches.seen] == [4, 4, 4, 2] * 2
    assert {tag for tag in run.tags() if tag.startswith("grad")} == set(rows[0])
    for tag in rows[0]:
        scalars = run.scalars(tag)
        assert list(scalars) == list(range(8))
        assert list(scalars.values()) == pytest.approx([row[tag] for row in rows], rel=2e-5), tag


def test_batchnorm_counts_in_the_means_over_all_parameters_and_not_in_its_layer(prepare):
    network = ConvStack((1, 4, 4), 3, nn.ReLU, blocks=1, width=2)
    run = prepare(network, arrays=table(shape=(1, 4, 4)), callbacks=[GradientNorms()], max_steps=1)
    before = copy.deepcopy(network)
    run.run()
    x, y = run.data.train_dataloader().batch(torch.from_numpy(run.data.train_dataloader().sampler.order()[:4]))
    nn.functional.cross_entropy(before(x), y).backward()
    gradients = [p.grad.double() for p in before.parameters()]
    assert len(gradients) == 2 * 4 + 2  # two Convs and two BatchNorms with bias, and the head
    means = [sum(abs(v) for v in g.flatten().tolist()) / g.numel() for g in gradients]
    assert run.scalars("grad_abs_mean") == {0: pytest.approx(np.mean(means), rel=1e-5)}
    assert run.scalars("grad_norm/total") == {0: pytest.approx(torch.cat([g.flatten() for g in gradients]).norm())}
    stem = before.stem.affine
    both = torch.cat([stem.weight.grad.flatten(), stem.bias.grad]).double()
    assert run.scalars("grad_norm/00_stem") == {0: pytest.approx(float(both.norm()), rel=1e-5)}
    assert run.scalars("grad_rms/00_stem") == {0: pytest.approx(float(stem.weight.grad.double().norm()) / 18**0.5)}


@pytest.mark.parametrize("float64", [True, False])
def test_a_vanishing_gradient_is_recorded_down_to_the_first_of_thirty_layers(fit, monkeypatch, float64):
    if not float64:
        monkeypatch.setattr(gradients, "gradient_norms", gradients._scaled_norms)
    network = small_mlp(nn.Sigmoid, blocks=30)
    exact = copy.deepcopy(network).double()
    run = fit(network, callbacks=[GradientNorms(), batches := Batches()], max_steps=1)
    _, x, y = batches.seen[0]
    nn.functional.cross_entropy(exact(x.double()), y).backward()
    for layer in exact.layers:
        weight, bias = layer.affine.weight.grad, layer.affine.bias.grad
        norm = float((weight.square().sum() + bias.square().sum()).sqrt())
        assert run.scalars(f"grad_norm/{layer.name}") == {0: pytest.approx(norm, rel=1e-3, abs=0)}
        rms = float(weight.square().mean().sqrt())
        assert run.scalars(f"grad_rms/{layer.name}") == {0: pytest.approx(rms, rel=1e-3, abs=0)}
    assert run.scalars("grad_norm/01_block")[0] < 1e-24
    assert of(run.scalars, "grad_flow/gain_per_layer") < 0.3


def test_a_gradient_of_zero_is_written_and_its_logarithm_is_not(fit):
    network = small_mlp(nn.ReLU, blocks=3)
    nn.init.constant_(network.layers[2].affine.bias, -1e6)  # the third block is dead: nothing reaches those before it
    run = fit(network, callbacks=[callback := GradientNorms()])
    assert set(of(run.scalars, "grad_norm/01_block")) == {0}
    assert "grad_flow/gain_per_layer" not in run.tags()
    assert np.isnan(callback.latest["grad_flow/gain_per_layer"])


@pytest.mark.parametrize("off", GROUPS)
def test_each_quantity_can_be_switched_off(fit, off):
    run = fit(max_epochs=1, callbacks=[callback := GradientNorms(**{off: False})])
    for group, prefix in GROUPS.items():
        assert any(tag.startswith(prefix) for tag in run.tags()) == (group != off)
        assert any(tag.startswith(prefix) for tag in callback.final_metrics()) == (group != off)


def test_all_quantities_can_be_switched_off(fit):
    run = fit(max_epochs=1, callbacks=[GradientNorms(**dict.fromkeys(GROUPS, False))])
    assert not any(tag.startswith("grad") for tag in run.tags())


def test_a_single_hidden_layer_has_no_slope(fit):
    run = fit(small_mlp(blocks=1), callbacks=[GradientNorms()])
    assert not any(tag.startswith("grad_flow") for tag in run.tags())
    assert len(run.scalars("grad_rms/01_block")) == 8


def test_windows_are_averaged_and_end_with_the_epoch(fit):
    every, third = (fit(small_mlp(blocks=3), callbacks=[GradientNorms(every_n_steps=steps)]) for steps in (1, 3))
    for tag, mean in (("grad_norm/total", np.mean), ("grad_abs_mean", np.mean), ("grad_flow/gain_per_layer", gmean)):
        single = of(every.scalars, tag)
        windows = [mean(single[0:3]), single[3], mean(single[4:7]), single[7]]  # four steps an epoch
        assert third.scalars(tag) == pytest.approx(dict(zip((2, 3, 6, 7), windows, strict=True)), rel=1e-6)


def test_the_last_epochs_gain_is_a_geometric_mean(fit):
    run = fit(small_mlp(blocks=3), callbacks=[callback := GradientNorms()])
    single = of(run.scalars, "grad_flow/gain_per_layer")[-4:]
    assert callback.final_metrics()["grad_flow/gain_per_layer"] == pytest.approx(gmean(single), rel=1e-6)
    assert gmean(single) != pytest.approx(np.mean(single), rel=1e-6)


def test_layers_of_different_shapes_have_no_gain(fit):
    run = fit(small_mlp(blocks=None, width=[6, 5, 4]), callbacks=[GradientNorms()])
    assert {tag for tag in run.tags() if tag.startswith("grad_flow")} == {"grad_flow/first_to_last"}


def test_accumulated_batches_are_one_step(fit):
    batches = Batches()
    run = fit(small_mlp(nn.Tanh), callbacks=[GradientNorms(), batches], accumulate_grad_batches=3)
    sums = []
    for step in ([0, 1, 2], [3], [4, 5, 6], [7]):  # what is left over at the end of an epoch is a step too
        parts = [by_hand(*batches.seen[i]) for i in step]
        sums.append([[sum(p[k][j] for p in parts) / 3 for j in (0, 1)] for k in range(3)])  # Lightning divides by 3
    for tag in ("grad_norm/total", "grad_rms/01_block", "grad_abs_mean"):
        assert run.scalars(tag) == pytest.approx(dict(enumerate(expected(g)[tag] for g in sums)), rel=2e-5)


def test_norms_are_taken_before_clipping(fit):
    free, clipped = fit(callbacks=[GradientNorms()]), small_mlp()
    start = nn.utils.parameters_to_vector(clipped.parameters()).detach().clone()
    run = fit(clipped, callbacks=[GradientNorms()], gradient_clip_val=1e-3, lr=1.0)
    assert run.scalars("grad_norm/total")[0] == free.scalars("grad_norm/total")[0]
    assert min(of(run.scalars, "grad_norm/total")) > 0.1
    moved = nn.utils.parameters_to_vector(clipped.parameters()).detach() - start
    assert 0 < float(moved.norm()) <= 8 * 1.0 * 1e-3 * 1.001  # eight steps, each clipped


def test_bfloat16_agrees_with_float32_at_initialisation(fit):
    runs = [
        fit(small_mlp(nn.Tanh), callbacks=[GradientNorms()], max_steps=1, precision=precision)
        for precision in ("32-true", "bf16-mixed")
    ]
    for tag in [tag for tag in runs[0].tags() if tag.startswith("grad")]:
        exact, mixed = (run.scalars(tag)[0] for run in runs)
        assert mixed == pytest.approx(exact, rel=0.05)
        assert mixed != exact


class Stop(Callback):
    def __init__(self, error, *, at):
        self._error, self._at = error, at

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if trainer.global_step == self._at:
            raise self._error


def test_an_interrupted_epoch_leaves_no_points(prepare):
    run = prepare(callbacks=[GradientNorms(), Stop(RuntimeError("power cut"), at=6)])
    with pytest.raises(RuntimeError, match="power cut"):
        run.run()
    assert list(run.scalars("grad_norm/total")) == [0, 1, 2, 3]


def test_steps_after_a_divergence_are_dropped(prepare):
    class Poison(Callback):
        def on_before_optimizer_step(self, trainer, pl_module, optimizer):
            if trainer.global_step == 2:
                next(pl_module.parameters()).grad.fill_(float("nan"))

    run = prepare(callbacks=[Poison(), callback := GradientNorms()])
    with pytest.raises(Diverged):
        run.run()
    for tag in [tag for tag in run.tags() if tag.startswith("grad")]:
        assert list(run.scalars(tag)) == [0, 1]
    assert np.isfinite(list(callback.final_metrics().values())).all()


def test_final_metrics_survive_a_checkpoint(fit, prepare):
    run = fit(callbacks=[callback := GradientNorms()])
    final = callback.final_metrics()
    assert final["grad_norm/total"] == pytest.approx(of(run.scalars, "grad_norm/total")[4:].mean())
    assert final["grad_abs_mean_all_steps"] == pytest.approx(of(run.scalars, "grad_abs_mean").mean())
    assert callback.first["grad_rms/01_block"] == pytest.approx(run.scalars("grad_rms/01_block")[0])
    run.trainer.save_checkpoint(run.folder / "half.ckpt")
    whole = fit(callbacks=[GradientNorms()], max_epochs=4)
    rest = prepare(run.network, callbacks=[resumed := GradientNorms()], max_epochs=4)
    rest.trainer.fit(rest.module, datamodule=rest.data, ckpt_path=run.folder / "half.ckpt", weights_only=True)
    assert list(rest.scalars("grad_norm/total")) == list(range(8, 16))
    assert resumed.first == callback.first
    mean = of(whole.scalars, "grad_abs_mean").mean()
    assert resumed.final_metrics()["grad_abs_mean_all_steps"] == pytest.approx(mean, rel=1e-6)
