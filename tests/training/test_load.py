"""A trained network is loaded from its run folder, and scores what its run scored."""

import logging
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from finished_runs import only_run, record, weights
from omegaconf import OmegaConf

import gradflow
from gradflow.data.datamodule import ArrayDataModule
from gradflow.data.preparation import Preparation
from gradflow.errors import ConfigError
from gradflow.runs.record import write_record
from gradflow.training import build
from gradflow.training.trained_network import TrainedNetwork

SMALL = ("trainer=cpu", "width=4", "blocks=2", "trainer.max_epochs=3", "callbacks=none", "threads=1")
UNSTEADY = ("optimizer.lr=0.05",)  # so that the best epoch is seldom the last one
MLP = ("model=mlp", *SMALL, *UNSTEADY)
CONV = ("model=conv", "data.batch_size=120", *SMALL, *UNSTEADY)
BENT = ("activation=custom", "activation._target_=own_activations.Bent", "+activation.bend=0.3")
RUNS = {
    "conv": CONV,
    "running averages": (*CONV, "batch_norm=running"),
    "group norm": (*CONV, "model.norm=group", "model.residual=true", "activation=prelu"),
    "float64": (*CONV, "precision=64", "activation=sigmoid"),
    "bfloat16": (*CONV, "precision=bf16"),
    "mlp": (*MLP, "activation=maxout"),
    "pixels from -1 to 1, batch norm, dropout, random slopes": (
        *(*MLP, "model.norm=batch", "model.dropout=0.2", "activation=rrelu", "data.pixel_range=[-1,1]"),
    ),
    "binary": (*MLP, "data=circles"),
    "regression": (*MLP, "data=diabetes"),
    "bounded regression in float64": (*MLP, "data=diabetes", "output=tanh", "precision=64"),
    "a table as it is": (*MLP, "data=circles", "data.standardize=false", "precision=bf16"),
}
SLOW = {
    "lenet5": ("model=lenet5", *(one for one in CONV[1:] if not one.startswith(("width", "blocks")))),
    "compiled": (*MLP, "blocks=1", "compile=true"),
    "own activation": (*MLP, *BENT, "data=moons"),
}


def the_tested(run):
    """The test samples of a run and their targets, as the data set has them."""
    data = build.data(OmegaConf.load(run / ".hydra" / "config.yaml"))
    rows = data.split.test
    return data.arrays.x[rows], data.arrays.y[rows]


def check_scores(run, network, *, suffix):
    """The scores of run.json, from the predictions for the test set."""
    x, y = the_tested(run)
    answers, metrics = network.predict(x).numpy(), record(run)["metrics"]
    if network.preparation.task == "regression":
        assert np.abs(answers - y).mean() == pytest.approx(metrics[f"test/mae{suffix}"], rel=1e-6)
        r2 = 1 - ((answers - y) ** 2).sum() / ((y.astype(np.float64) - y.mean(dtype=np.float64)) ** 2).sum()
        assert r2 == pytest.approx(metrics[f"test/r2{suffix}"], rel=1e-5)
    else:
        assert np.float32((answers == y).mean()) == np.float32(metrics[f"test/acc{suffix}"])


def check_run(run, **options):
    before = {file: file.stat().st_mtime_ns for file in run.rglob("*")}
    for epoch, suffix in (("best", "_at_best"), ("last", "")):
        network = gradflow.load_network(run, epoch=epoch, **options)
        assert not any(module.training for module in network.modules())
        assert network.device == torch.device("cpu")
        check_scores(run, network, suffix=suffix)
    assert network.epoch == 3
    assert gradflow.load_network(run, **options).epoch == record(run)["metrics"]["best_epoch"]
    assert {file: file.stat().st_mtime_ns for file in run.rglob("*")} == before


@pytest.mark.parametrize("name", RUNS)
def test_it_scores_what_its_run_scored(command, tmp_path, name):
    assert command(*RUNS[name]).status == 0
    check_run(only_run(tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_so_do_the_slower_ones(command, tmp_path, name):
    assert command(*SLOW[name]).status == 0
    check_run(only_run(tmp_path), trust=name == "own activation")


@pytest.fixture(scope="module")
def conv(command_in, tmp_path_factory):
    """A run whose best epoch is not the last; with dropout, to tell training from evaluation."""
    root = tmp_path_factory.mktemp("conv")
    assert command_in(root, *CONV, "model.dropout=0.5", "trainer.max_epochs=4", "optimizer.lr=0.5").status == 0
    run = only_run(root)
    assert record(run)["metrics"]["best_epoch"] < 4
    return run


@pytest.fixture
def run(conv, tmp_path):
    """A copy of its folder that a test may damage, at a path like that of a run."""
    return shutil.copytree(conv, tmp_path / "outputs" / "digits_conv" / conv.parent.name / "seed=0")


def test_the_best_epoch_has_its_own_weights_and_recomputed_statistics(run):
    network, last = gradflow.load_network(run).network, gradflow.load_network(run, epoch="last").network
    for name, tensor in weights(run, "best.ckpt").items():
        is_running = name.endswith(("running_mean", "running_var", "num_batches_tracked"))
        assert torch.equal(network.state_dict()[name.removeprefix("network.")], tensor) != is_running
    assert not torch.equal(network.head.weight, last.head.weight)
    assert [layer.name for layer in network.layers] == ["00_stem", "01_block", "02_block", "03_head"]


def test_neither_data_nor_gradflows_random_numbers_are_touched(run, monkeypatch):
    monkeypatch.setattr(ArrayDataModule, "__init__", lambda *_, **__: pytest.fail("the data were built"))
    state = torch.get_rng_state()
    gradflow.load_network(run)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_checkpoint_of_before_takes_what_it_lacks_from_the_data(run):
    x, _ = the_tested(run)
    logits = gradflow.load_network(run)(x)
    for file in (run / "checkpoints").iterdir():
        checkpoint = torch.load(file, weights_only=True)
        del checkpoint["ArrayDataModule"]
        torch.save(checkpoint, file)
    assert torch.equal(gradflow.load_network(run)(x), logits)


def test_what_is_not_a_sample_is_refused(run):
    network = gradflow.load_network(run)
    with pytest.raises(ConfigError, match=r"^x holds torch\.float32; .* scales them itself$"):
        network(torch.zeros(2, 1, 8, 8))


def test_outputs_can_be_differentiated_with_respect_to_prepared_samples(run):
    network = gradflow.load_network(run)
    x = network.prepare(torch.full((2, 1, 8, 8), 8, dtype=torch.uint8)).requires_grad_()
    network.network(x).sum().backward()
    assert x.grad.shape == x.shape


def refusal(*arguments, **options):
    with pytest.raises(ConfigError) as refused:
        gradflow.load_network(*arguments, **options)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_folder_that_is_no_run_is_refused(run, tmp_path):
    assert refusal(tmp_path / "none").startswith(
        f"{tmp_path / 'none'}: no such folder; name a run folder, e.g. outputs/"
    )
    assert refusal(run.parent) == f"{run.parent}: not a run folder; name one, e.g. {run}"
    (tmp_path / "empty").mkdir()
    assert "not a run folder; name one, e.g. outputs/" in refusal(tmp_path / "empty")
    assert refusal(run, epoch="first").startswith("epoch=first: choose best")
    assert refusal(run, device="abacus").startswith("device=abacus: cannot be used (")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"state": "diverged"}, "diverged, so there is no trained network"),
        ({"identity": 3}, "of another version of gradflow (identity 3, now 2)"),
        ({"identity": 1}, "of another version of gradflow (identity 1, now 2)"),
    ],
)
def test_a_run_without_a_network_of_this_version_is_refused(run, changes, message):
    write_record(run, record(run) | changes)
    assert refusal(run).startswith(f"{run}: {message}")


def test_a_planned_run_is_refused(run):
    shutil.rmtree(run / "checkpoints")
    write_record(run, record(run) | {"state": "planned"})
    assert refusal(run) == f"{run}: planned, without a checkpoint yet; train it first"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no checkpoint", b"\x80\x02N."])
def test_a_damaged_checkpoint_is_refused(run, content):
    file = run / "checkpoints" / "best.ckpt"
    file.write_bytes(content)
    assert refusal(run).startswith(f"{file}: damaged (")
    file.unlink()
    assert refusal(run) == f"{file}: missing; train that run again with rerun=true"


def test_half_a_checkpoint_and_one_of_something_else_are_refused(run):
    file = run / "checkpoints" / "last.ckpt"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert "damaged" in refusal(run)
    torch.save({"epoch": 3}, file)
    assert "damaged" in refusal(run)
    torch.save([1], file)
    assert "damaged" in refusal(run)


def test_a_pickle_in_place_of_a_checkpoint_is_not_executed(run, tmp_path):
    class Touch:
        def __reduce__(self):
            return (open, (str(tmp_path / "executed"), "w"))

    torch.save({"epoch": Touch()}, run / "checkpoints" / "last.ckpt")
    assert "damaged" in refusal(run)
    assert not (tmp_path / "executed").exists()


def change(run, **values):
    file = run / ".hydra" / "config.yaml"
    cfg = OmegaConf.load(file)
    for key, value in values.items():
        OmegaConf.update(cfg, key, value, force_add=True)
    OmegaConf.save(cfg, file)


def test_a_configuration_of_another_network_is_refused(run):
    change(run, **{"model.width": 5})
    assert refusal(run) == f"{run}: its checkpoint does not fit its configuration; train it again with rerun=true"
    change(run, **{"model.nonsense": 5})
    assert refusal(run).startswith(f"{run}: its network cannot be built (")
    change(run, precision=17)
    assert refusal(run).startswith(f"{run}: its network cannot be built (")
    (run / ".hydra" / "config.yaml").write_text("{")
    assert "damaged" in refusal(run)


@pytest.mark.parametrize("key", ["activation._target_", "model._target_", "model.extra._target_"])
def test_code_is_not_run_unless_the_folder_is_trusted(run, tmp_path, monkeypatch, key):
    name, executed = f"theirs_{key.replace('.', '')}", tmp_path / "executed"
    (tmp_path / f"{name}.py").write_text(f"import pathlib\npathlib.Path({str(executed)!r}).touch()\n")
    monkeypatch.syspath_prepend(tmp_path)
    change(run, **{key: f"{name}.Thing"})
    said = refusal(run)
    assert said.startswith(f"{run}: {key}={name}.Thing is not ")
    assert said.endswith("use trust=True")
    assert not executed.exists()
    assert "cannot be built" in refusal(run, trust=True)  # there is no Thing in it
    assert executed.exists()


def test_other_groups_need_no_trust_as_they_are_not_built(run):
    change(run, **{"callbacks.theirs": {"_target_": "os.system", "command": "false"}})
    gradflow.load_network(run)


def test_an_unfinished_run_and_changed_code_are_told(run, caplog):
    write_record(run, record(run) | {"state": "interrupted", "content": {"activation._target_": "0" * 64}})
    with caplog.at_level(logging.WARNING):
        gradflow.load_network(run, epoch="last")
    assert f"{run}: interrupted; this is its network after epoch 4" in caplog.text
    assert f"activation._target_: its file has changed since {run} was trained" in caplog.text


def test_import_gradflow_stays_quick():
    code = "import sys, gradflow; print({'torch', 'lightning', 'hydra', 'omegaconf', 'numpy'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "set()\n"
    with pytest.raises(AttributeError, match="no attribute 'load_networks'"):
        gradflow.load_networks  # noqa: B018


@pytest.mark.parametrize("precision", ["32", "tf32"])
def test_a_gpu_rounds_the_products_of_a_loaded_network_as_in_its_run(precision):
    """torch by itself rounds those of convolutions to TF32, and others not."""
    cfg = OmegaConf.create({"precision": precision, "output": None})
    known = Preparation("classification", (3,), 2)
    settings: list[tuple[str, bool]] = []

    class Settings(torch.nn.Linear):
        def forward(self, x):
            settings.append((torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32))
            return super().forward(x)

    network = TrainedNetwork(Settings(3, 2), known, cfg=cfg, epoch=1)
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    network.predict(np.zeros((4, 3), np.float32))
    assert settings == [("high", True) if precision == "tf32" else ("highest", False)]
    assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == before
