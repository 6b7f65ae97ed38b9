"""Gradient norms of modules that know nothing of gradflow, against a plain loop with autograd."""

import copy
import csv
import math
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import any_modules
import lightning as L
import pytest
import torch
from any_modules import BATCH, NETWORKS, Classifier, Rows, WordReader, attentions, convnext, fit, images, loss_of, words
from lightning.pytorch.strategies import DeepSpeedStrategy, FSDPStrategy, ModelParallelStrategy
from torch import nn

import gradflow
from gradflow.callbacks.gradient_norms import GradientNorms
from gradflow.errors import ConfigError
from gradflow.measure import gradient_meter

pytestmark = pytest.mark.filterwarnings("ignore:.*does not have many workers")


def by_hand(network, data, *, lr=0.05, steps=3, parameters=None):
    """The gradient of every parameter at every step, in float64, by path; the same loop without Lightning."""
    optimizer = torch.optim.SGD(network.parameters() if parameters is None else parameters, lr=lr)
    rows = []
    for step in range(steps):
        optimizer.zero_grad()
        loss_of(network, [part[BATCH * step : BATCH * (step + 1)] for part in data]).backward()
        rows.append({path: p.grad.double() for path, p in network.named_parameters() if p.grad is not None})
        optimizer.step()
    return rows


def norm(gradients):
    return math.sqrt(sum(float(gradient.square().sum()) for gradient in gradients))


def paths(layers):
    return [layer.partition("_")[2] for layer in sorted(layers)]


def layers(rows):
    return {tag.partition("/")[2] for tag in rows.tags("grad_rms/")}


@pytest.mark.parametrize("name", NETWORKS)
def test_norms_are_those_of_a_plain_loop_and_layers_stand_in_forward_order(name):
    make, data, first, last, sites = NETWORKS[name]
    torch.manual_seed(0)
    network, data = make(), data()
    expected = by_hand(copy.deepcopy(network).train(), data)
    _, rows = fit(Classifier(network, data), callbacks=[GradientNorms()])
    found = layers(rows)
    assert len(found) == sites
    assert paths(found)[0] == f"network.{first}"
    assert paths(found)[-1] == f"network.{last}"
    totals = [norm(gradients.values()) for gradients in expected]
    assert rows.curve("grad_norm/total") == pytest.approx(dict(enumerate(totals)), rel=1e-6)
    for layer in found:
        path = layer.partition("_")[2].removeprefix("network.")
        for step, gradients in enumerate(expected):
            own = {key: value for key, value in gradients.items() if key.rpartition(".")[0] == path}
            if name == "lstm" and not own:  # a layer of several
                module, _, part = path.rpartition(".")
                own = {key: value for key, value in gradients.items() if key.startswith(module) and key.endswith(part)}
            weights = [value for key, value in own.items() if "weight" in key.rpartition(".")[2]]
            assert rows.curve(f"grad_norm/{layer}")[step] == pytest.approx(norm(own.values()), rel=1e-6)
            rms = norm(weights) / math.sqrt(sum(weight.numel() for weight in weights))
            assert rows.curve(f"grad_rms/{layer}")[step] == pytest.approx(rms, rel=1e-6)


def test_the_gain_is_taken_over_equal_weights_without_the_first_site_and_the_head():
    torch.manual_seed(0)
    sizes = [4, 4, 4, 4, 4]  # the head has the shape of the others
    network = nn.Sequential(*[part for n in sizes[1:] for part in (nn.Linear(4, n), nn.Tanh())], nn.Linear(4, 4))
    data = (torch.randn(6, 4), torch.arange(6) % 3)
    (first, *_) = by_hand(copy.deepcopy(network), data)
    _, rows = fit(Classifier(network, data), callbacks=[GradientNorms()])
    rms = [norm([first[f"{2 * n}.weight"]]) / 4 for n in range(4)]
    logs = [math.log10(value) for value in rms[1:]]
    assert rows.curve("grad_flow/gain_per_layer")[0] == pytest.approx(10 ** -((logs[2] - logs[0]) / 2), rel=1e-5)
    assert rows.curve("grad_flow/first_to_last")[0] == pytest.approx(rms[0] / rms[3], rel=1e-6)


def test_projections_that_read_one_tensor_count_once_in_the_gain():
    torch.manual_seed(0)
    network, data = attentions(depth=2), images()
    (first, *_) = by_hand(copy.deepcopy(network), data)
    _, rows = fit(Classifier(network, data), callbacks=[GradientNorms()])
    places = []
    for block in (2, 3):
        parts = [[first[f"{block}.{name}.weight"] for name in names] for names in (("query", "key", "value"), ("out",))]
        places += [math.log10(norm(weights) / math.sqrt(16 * len(weights))) for weights in parts]
    slope = sum(place * log for place, log in zip((-1.5, -0.5, 0.5, 1.5), places, strict=True)) / 5
    assert rows.curve("grad_flow/gain_per_layer")[0] == pytest.approx(10**-slope, rel=1e-5)
    executed = ["network.1"]
    executed += [f"network.{block}.{name}" for block in (2, 3) for name in ("query", "key", "value", "out")]
    assert paths(layers(rows)) == [*executed, "network.5"]


class Gan(L.LightningModule):
    """Two optimizers, manual optimization; the discriminator is defined first and steps twice a batch."""

    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.discriminator = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 1))
        self.generator = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 3))

    def losses(self, x):
        fake = self.generator(x[:, :2])
        yield self.discriminator(fake.detach()).mean() - self.discriminator(x).mean()
        yield self.discriminator(fake.detach()).square().mean()
        yield -self.discriminator(fake).mean()

    def training_step(self, batch, batch_idx):
        generator, discriminator = self.optimizers()
        for loss, optimizer in zip(self.losses(batch), (discriminator, discriminator, generator), strict=True):
            self.zero_grad()
            self.manual_backward(loss)
            optimizer.step()

    def configure_optimizers(self):
        return [torch.optim.SGD(part.parameters(), lr=0.1) for part in (self.generator, self.discriminator)]

    def train_dataloader(self):
        batches = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0))
        return torch.utils.data.DataLoader(batches, batch_size=None)


def test_each_of_a_gans_optimizers_measures_what_it_updates():
    torch.manual_seed(0)
    gan = Gan()
    alone = copy.deepcopy(gan)
    _, rows = fit(gan, callbacks=[GradientNorms()])
    optimizers = alone.configure_optimizers()
    expected = {0: {}, 1: {}}
    for batch, x in enumerate(alone.train_dataloader()):
        for n, (loss, number) in enumerate(zip(alone.losses(x), (1, 1, 0), strict=True)):
            alone.zero_grad()
            loss.backward()
            part = (alone.generator, alone.discriminator)[number]
            expected[number][3 * batch + n] = norm([p.grad.double() for p in part.parameters()])
            optimizers[number].step()
    for number in (0, 1):
        assert rows.curve(f"grad_norm/total_{number}") == pytest.approx(expected[number], rel=1e-6)
    parts = ["generator.0", "generator.2", "discriminator.0", "discriminator.2", "discriminator.4"]
    assert paths(layers(rows)) == parts
    assert list(rows.curve("grad_norm/02_discriminator.0")) == [0, 1, 3, 4]
    # A part of its own has a first site and a head of its own: of five sites only two are hidden layers of one part.
    assert rows.tags("grad_flow") == {"grad_flow/first_to_last_1"}
    hidden = [rows.curve(f"grad_rms/0{n}_discriminator.{m}")[0] for n, m in ((2, 0), (3, 2))]
    assert rows.curve("grad_flow/first_to_last_1")[0] == pytest.approx(hidden[0] / hidden[1], rel=1e-9)


def test_a_part_can_be_measured_alone():
    torch.manual_seed(0)
    _, whole = fit(copy.deepcopy(gan := Gan()), callbacks=[GradientNorms()])
    _, rows = fit(gan, callbacks=[GradientNorms(submodule="generator")])
    assert layers(rows) == {"00_0", "01_2"}
    assert rows.curve("grad_norm/total") == whole.curve("grad_norm/total_0")


def test_a_parameter_of_two_optimizers_has_two_curves():
    class Alternating(Gan):
        def configure_optimizers(self):
            return [
                torch.optim.SGD(self.parameters(), lr=0.1),
                torch.optim.SGD(self.discriminator.parameters(), lr=0.1),
            ]

    _, rows = fit(Alternating(), callbacks=[GradientNorms()])
    assert {"00_generator.0", "02_discriminator.0_0", "02_discriminator.0_1"} <= layers(rows)


def mlp():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))


def numbers(rows=12):
    return torch.randn(rows, 4, generator=torch.Generator().manual_seed(0)), torch.arange(rows) % 3


class Frozen(Classifier):
    """The first layer is frozen, and thawed for the second epoch."""

    def __init__(self, network, data):
        super().__init__(network, data)
        self.network[0].requires_grad_(False)

    def on_train_epoch_start(self):
        if self.current_epoch == 1:
            self.network[0].requires_grad_(True)


def test_a_frozen_layer_has_a_number_and_a_curve_from_when_it_is_thawed():
    _, rows = fit(Frozen(mlp(), numbers(4)), callbacks=[GradientNorms()], epochs=2)
    assert list(rows.curve("grad_norm/00_network.0")) == [2, 3]
    assert list(rows.curve("grad_norm/01_network.2")) == [0, 1, 2, 3]
    parts = [rows.curve(f"grad_norm/{layer}") for layer in ("01_network.2", "02_network.4")]
    assert rows.curve("grad_norm/total")[0] == pytest.approx(math.hypot(parts[0][0], parts[1][0]), rel=1e-6)


def test_accumulated_batches_are_one_step_before_clipping():
    network, data = mlp(), numbers(8)
    alone = copy.deepcopy(network)
    loss_of(alone, [part[:4] for part in data]).backward()  # the mean of two batches of two
    options = {"accumulate_grad_batches": 2, "gradient_clip_val": 1e-3}
    _, rows = fit(Classifier(network, data), callbacks=[GradientNorms()], **options)
    totals = rows.curve("grad_norm/total")
    assert list(totals) == [0, 1]
    assert totals[0] == pytest.approx(norm([p.grad.double() for p in alone.parameters()]), rel=1e-5)


@pytest.mark.parametrize("precision", ["bf16-mixed", "bf16-true", "64-true"])
def test_lower_and_higher_precisions_agree_at_the_first_step(precision):
    exact, other = (
        fit(Classifier(mlp(), numbers()), callbacks=[GradientNorms()], precision=one)[1].curve("grad_norm/total")[0]
        for one in ("32-true", precision)
    )
    assert other == pytest.approx(exact, rel=0.03)
    assert other != exact


class SparseWords(nn.Module):
    """The words' table is the head's too; one layer gets no gradient."""

    def __init__(self, *, sparse):
        super().__init__()
        self.words = nn.Embedding(11, 4, sparse=sparse)
        self.idle = nn.Linear(4, 4)
        self.head = nn.Linear(4, 11 if not sparse else 3)
        if not sparse:
            self.head.weight = self.words.weight

    def forward(self, x):
        return self.head(self.words(x).mean(1))


@pytest.mark.parametrize("sparse", [True, False])
def test_sparse_missing_and_tied_gradients(sparse):
    torch.manual_seed(0)
    network, data = SparseWords(sparse=sparse), words()
    (first, *_) = by_hand(copy.deepcopy(network), data)
    dense = {key: value.to_dense() for key, value in first.items()}
    _, rows = fit(Classifier(network, data), callbacks=[GradientNorms()])
    assert paths(layers(rows)) == ["network.words", "network.idle", *(["network.head"] if sparse else [])]
    assert rows.curve("grad_norm/total")[0] == pytest.approx(norm(dense.values()), rel=1e-6)
    assert set(rows.curve("grad_norm/01_network.idle").values()) == {0}
    abs_means = [dense[key].abs().mean().item() if key in dense else 0.0 for key, _ in network.named_parameters()]
    assert rows.curve("grad_abs_mean")[0] == pytest.approx(sum(abs_means) / len(abs_means), rel=1e-6)


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_a_compiled_network_has_the_layers_of_its_definition(backend):
    torch.compiler.reset()
    _, plain = fit(Classifier(mlp(), numbers()), callbacks=[GradientNorms()])
    compiled = torch.compile(mlp(), backend=backend)
    _, rows = fit(Classifier(compiled, numbers()), callbacks=[GradientNorms()])
    assert layers(rows) == layers(plain)
    for tag in plain.tags("grad"):
        assert rows.curve(tag) == pytest.approx(plain.curve(tag), rel=1e-5)


def test_an_endless_epoch_is_written_piece_by_piece_and_windows_stay_whole(monkeypatch):
    _, every = fit(Classifier(mlp(), numbers(26)), callbacks=[whole := GradientNorms()])
    monkeypatch.setattr(gradient_meter, "FLUSH", 4)
    written = []

    class Count(L.Callback):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            written.append(len(trainer.logger.curve("grad_norm/total")))

    _, rows = fit(Classifier(mlp(), numbers(26)), callbacks=[pieces := GradientNorms(every_n_steps=3), Count()])
    assert written == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4]
    single = list(every.curve("grad_norm/total").values())
    means = [sum(single[i : i + 3]) / len(single[i : i + 3]) for i in range(0, 13, 3)]
    assert rows.curve("grad_norm/total") == pytest.approx(dict(zip((2, 5, 8, 11, 12), means, strict=True)), rel=1e-9)
    assert pieces.latest == pytest.approx(whole.latest, rel=1e-9)


def test_weights_are_bit_identical_with_and_without_monitors():
    states = []
    for callbacks in ([], gradflow.monitors(abs_mean=True)):
        torch.manual_seed(0)
        module = Classifier(convnext(), images())
        fit(module, callbacks=callbacks, epochs=2)
        states.append(torch.cat([value.flatten().double() for value in module.state_dict().values()]))
        assert not any(part._forward_pre_hooks or part._forward_hooks for part in module.modules())
    assert torch.equal(*states)


def test_a_resumed_run_has_the_same_layers_and_goes_on(tmp_path):
    def network():
        torch.manual_seed(0)
        return WordReader()

    _, whole = fit(Classifier(network(), words()), callbacks=[GradientNorms()], epochs=2)
    trainer, _ = fit(Classifier(network(), words()), callbacks=[GradientNorms()])
    trainer.save_checkpoint(tmp_path / "half.ckpt")
    _, rest = fit(Classifier(network(), words()), callbacks=[GradientNorms()], epochs=2, resume=tmp_path / "half.ckpt")
    assert rest.tags("grad") == whole.tags("grad")
    for tag in rest.tags("grad"):
        later = {step: value for step, value in whole.curve(tag).items() if step >= 3}
        assert rest.curve(tag) == pytest.approx(later, rel=1e-6), tag


@pytest.mark.parametrize("strategy", [FSDPStrategy, DeepSpeedStrategy, ModelParallelStrategy])
def test_sharded_gradients_are_refused_by_name(strategy):
    trainer = SimpleNamespace(strategy=object.__new__(strategy))
    with pytest.raises(ConfigError, match=f"GradientNorms: under {strategy.__name__} .* use strategy=ddp"):
        GradientNorms().setup(trainer, None, "fit")


def test_where_there_is_nothing_to_measure_one_sentence_says_so(caplog):
    norms = nn.Sequential(nn.BatchNorm1d(4), nn.ReLU())
    _, rows = fit(Classifier(norms, numbers()), callbacks=[GradientNorms()], epochs=2)
    assert rows.tags("grad") == {"grad_norm/total", "grad_abs_mean"}
    assert [one for one in caplog.messages if one.startswith("GradientNorms")] == [
        "GradientNorms: no optimizer of Classifier updates a module with weights of an affine map, so only totals are "
        "recorded; make its matrices those of torch.nn's layers to see them apart"
    ]
    caplog.clear()
    _, rows = fit(Frozen(mlp(), numbers()), callbacks=[GradientNorms(submodule="network.1")])
    assert not rows.tags("grad")
    assert "no optimizer has a parameter in submodule=network.1" in caplog.text
    with pytest.raises(ConfigError, match=r"submodule=netwrk: Classifier has no such part; did you mean network\?"):
        fit(Classifier(mlp(), numbers()), callbacks=[GradientNorms(submodule="netwrk")])


def test_warnings_name_layers_of_any_module_in_its_own_words(caplog):
    layers = [part for _ in range(8) for part in (nn.Linear(4, 4), nn.Sigmoid())]
    torch.manual_seed(0)
    fit(Classifier(nn.Sequential(*layers, nn.Linear(4, 3)), numbers()), callbacks=gradflow.monitors())
    (message,) = [record.getMessage() for record in caplog.records if record.name.startswith("gradflow")]
    assert message.startswith("gradients vanish: 00_network.0 gets ")
    assert "Try, unless in use: ReLU, He initialisation, normalisation" in message


def test_words_that_a_batch_has_not_are_no_vanishing_gradient(caplog):
    network = SparseWords(sparse=True)
    network.words, network.idle = nn.Embedding(10**7, 4), nn.Identity()
    _, rows = fit(Classifier(network, words()), callbacks=gradflow.monitors())
    assert rows.curve("grad_rms/00_network.words")[0] < 1e-3 * rows.curve("grad_rms/01_network.head")[0]
    assert "vanish" not in caplog.text


class Distributed(Classifier):
    """Two processes share each batch of four."""

    def train_dataloader(self):
        data = torch.utils.data.TensorDataset(*self.data)
        sampler = torch.utils.data.DistributedSampler(data, shuffle=False) if self.trainer.world_size > 1 else None
        return torch.utils.data.DataLoader(data, batch_size=4 // self.trainer.world_size, sampler=sampler)


SCRIPT = """
from lightning.pytorch.loggers import CSVLogger
import any_modules, gradflow, test_any_module, warnings

warnings.filterwarnings("ignore")
module = test_any_module.Distributed(test_any_module.mlp(), test_any_module.numbers(8))
options = {"devices": 2, "strategy": "ddp", "use_distributed_sampler": False, "logger": CSVLogger("logs")}
any_modules.fit(module, callbacks=gradflow.monitors(), **options)
"""


@pytest.mark.slow
def test_two_processes_write_the_gradient_of_their_batches_together_once(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    path = [Path(__file__).parent, Path(any_modules.__file__).parent, Path(gradflow.__file__).parents[1]]
    environment = {key: value for key, value in os.environ.items() if "RANK" not in key and "MASTER" not in key}
    environment["PYTHONPATH"] = os.pathsep.join(map(str, path))
    subprocess.run([sys.executable, "script.py"], cwd=tmp_path, env=environment, check=True, capture_output=True)
    (file,) = (tmp_path / "logs").rglob("metrics.csv")
    together = [row for row in csv.DictReader(file.read_text().splitlines()) if row["grad_norm/total"]]
    _, alone = fit(Distributed(mlp(), numbers(8)), callbacks=gradflow.monitors())
    assert [row["step"] for row in together] == ["0", "1"]
    for tag in alone.tags("grad"):
        assert [float(row[tag]) for row in together] == pytest.approx(list(alone.curve(tag).values()), rel=1e-5), tag


def test_an_interrupted_epoch_of_somebody_elses_module_keeps_its_points():
    class Stop(L.Callback):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            if trainer.global_step == 2:
                raise RuntimeError("power cut")

    rows = Rows()
    with pytest.raises(RuntimeError, match="power cut"):
        fit(Classifier(mlp(), numbers()), callbacks=[GradientNorms(), Stop()], logger=rows)
    assert list(rows.curve("grad_norm/total")) == [0, 1]
