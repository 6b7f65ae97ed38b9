"""The data module, by hand and under a real Trainer."""

import lightning as L
import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

from gradflow.data.arrays import Arrays
from gradflow.data.datamodule import ArrayDataModule
from gradflow.data.sources import diabetes, digits, moons, npz
from gradflow.errors import ConfigError
from gradflow.training import build

# Lightning 2.6 flattens every loader with a class that torch 2.15 calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:`isinstance.treespec, LeafSpec:FutureWarning")


def digits_module(**changes):
    defaults = {"batch_size": 32, "test_size": 300, "validation_size": 300}
    return ArrayDataModule(digits, **(defaults | changes))


def small(x, y=None, *, task="classification", pixel_max=None, num_test=2):
    y = np.arange(len(x)) % 2 if y is None else y
    y = y.astype(np.float32 if task == "regression" else np.int64)
    return Arrays(x, y, task, pixel_max, num_test)


def module_of(arrays, **changes):
    return ArrayDataModule(lambda: arrays, **({"batch_size": 4, "validation": "last", "validation_size": 2} | changes))


class Recorder(L.LightningModule):
    """A linear classifier that keeps what it is given."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(64, 10)
        self.seen = {}
        self.evaluated = {"val": 0, "test": 0}

    def training_step(self, batch, batch_idx):
        x, y = batch
        self.seen.setdefault(self.current_epoch, []).append(x.detach().clone())
        return torch.nn.functional.cross_entropy(self.layer(x.flatten(1)), y)

    def validation_step(self, batch, batch_idx):
        self.evaluated["val"] += len(batch[1])

    def test_step(self, batch, batch_idx):
        self.evaluated["test"] += len(batch[1])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.fixture
def trainer(tmp_path):
    def make(*, max_epochs, **options):
        quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
        return L.Trainer(max_epochs=max_epochs, accelerator="cpu", default_root_dir=tmp_path, **(quiet | options))

    return make


def expected_batches(data, epoch):
    data.setup()
    loader = data.train_dataloader()
    loader.sampler.set_epoch(epoch)
    return [x for x, _ in loader]


def assert_same_batches(seen, expected):
    assert len(seen) == len(expected)
    assert all(torch.equal(got, want) for got, want in zip(seen, expected, strict=True))


def test_facts_are_known_before_any_trainer():
    data = digits_module(seed=3)
    assert data.input_shape == (1, 8, 8)
    assert (data.num_outputs, data.task, data.target_scale) == (10, "classification", 1.0)
    assert data.sizes == (1197, 300, 300)
    assert data.sizes.validation == 300
    assert not data.selected_on_test
    assert digits_module(validation="test", validation_size=None).selected_on_test


def test_building_reads_no_data():
    def source():
        raise AssertionError("read")

    ArrayDataModule(source, batch_size=1, validation_size=1)


def test_each_epoch_of_a_fit_has_its_own_order(trainer):
    model = Recorder()
    trainer(max_epochs=3, enable_checkpointing=False).fit(model, datamodule=digits_module(seed=5))
    assert sorted(model.seen) == [0, 1, 2]
    for epoch, seen in model.seen.items():
        assert_same_batches(seen, expected_batches(digits_module(seed=5), epoch))
    assert not torch.equal(model.seen[0][0], model.seen[1][0])


@pytest.mark.parametrize("after_training", [True, False])
def test_a_resumed_fit_goes_on_with_the_right_order_and_ends_in_the_same_weights(trainer, tmp_path, after_training):
    whole, first, resumed = Recorder(), Recorder(), Recorder()
    first.load_state_dict(whole.state_dict())
    trainer(max_epochs=4, enable_checkpointing=False).fit(whole, datamodule=digits_module())
    saving = {"save_last": True, "save_top_k": 0, "save_on_train_epoch_end": after_training}
    half = trainer(max_epochs=2, callbacks=[ModelCheckpoint(tmp_path, **saving)])
    half.fit(first, datamodule=digits_module())
    rest = trainer(max_epochs=4, callbacks=[ModelCheckpoint(tmp_path, **saving)])
    rest.fit(resumed, datamodule=digits_module(), ckpt_path=tmp_path / "last.ckpt", weights_only=True)
    assert sorted(resumed.seen) == [2, 3]
    for epoch in (2, 3):
        assert_same_batches(resumed.seen[epoch], whole.seen[epoch])
    assert torch.equal(resumed.layer.weight, whole.layer.weight)


def test_evaluation_sees_every_sample_once(trainer):
    model, data = Recorder(), digits_module(eval_batch_size=70)
    fitting = trainer(max_epochs=1, enable_checkpointing=False, num_sanity_val_steps=0)
    fitting.fit(model, datamodule=data)
    fitting.test(model, datamodule=data)
    assert model.evaluated == {"val": 300, "test": 300}
    assert fitting.num_val_batches == [5]


def test_tensors_are_moved_once_and_batches_not_at_all(trainer):
    data = digits_module()
    data.setup()
    kept = data.train_dataloader().x
    trainer(max_epochs=1, enable_checkpointing=False).fit(Recorder(), datamodule=data)
    assert data.train_dataloader().x is data.val_dataloader().x is data.test_dataloader().x is kept
    batch = next(iter(data.train_dataloader()))
    assert data.transfer_batch_to_device(batch, torch.device("meta"), 0) is batch
    assert kept.dtype == torch.uint8


def test_cached_arrays_are_not_modified(trainer):
    before = digits().x.copy(), digits().y.copy()
    trainer(max_epochs=1, enable_checkpointing=False).fit(Recorder(), datamodule=digits_module())
    assert np.array_equal(digits().x, before[0])
    assert np.array_equal(digits().y, before[1])


@pytest.mark.parametrize(("pixel_range", "low", "high"), [(None, 0, 1), ([-1, 1], -1, 1), ([0, 255], 0, 255)])
def test_pixels_are_mapped_to_the_range(pixel_range, low, high):
    x = np.random.default_rng(0).integers(0, 256, (10, 1, 5, 5), np.uint8)
    data = module_of(small(x, pixel_max=255), pixel_range=pixel_range, eval_batch_size=10)
    data.setup()
    batch, _ = next(iter(data.test_dataloader()))
    exact = low + (high - low) * x[8:].astype(np.float64) / 255
    np.testing.assert_allclose(batch.double().numpy(), exact, rtol=0, atol=3e-7 * high)


def test_tables_are_standardized_by_the_training_set_alone():
    x = np.array([[1, 7], [3, 7], [100, 7], [0, 8], [2, 7], [5, 6]], np.float32)  # rows 0 and 1 train: mean 2, sd 1
    data = module_of(small(x))
    data.setup()
    loaders = (data.val_dataloader(), data.test_dataloader())
    assert torch.cat([batch for loader in loaders for batch, _ in loader]).tolist() == [
        [98, 0],
        [-2, 1],
        [0, 0],
        [3, -1],
    ]
    raw = module_of(small(x), standardize=False)
    raw.setup()
    assert next(iter(raw.test_dataloader()))[0].tolist() == [[2, 7], [5, 6]]


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float64])
def test_a_table_is_standardized_whatever_type_it_is_stored_with(tmp_path, dtype):
    x = np.random.default_rng(0).integers(0, 17, (20, 3))
    y = np.arange(20) % 2
    np.savez(
        tmp_path / "own.npz", x_train=x[:12].astype(dtype), y_train=y[:12], x_test=x[12:].astype(dtype), y_test=y[12:]
    )
    options = {"validation": "last", "validation_size": 2, "path": str(tmp_path / "own.npz")}
    data = ArrayDataModule(npz, batch_size=4, **options)
    data.setup()
    batch, _ = next(iter(data.test_dataloader()))
    exact = (x[12:] - x[:10].mean(0)) / x[:10].std(0)
    np.testing.assert_allclose(batch.double().numpy(), exact, rtol=0, atol=1e-6)


def test_regression_targets_are_in_training_deviations():
    y = np.array([10, 30, 20, 40, 0, 60])  # rows 0 and 1 train: mean 20, sd 10
    data = module_of(small(np.zeros((6, 1), np.float32), y, task="regression"))
    data.setup()
    assert data.target_scale == 10
    assert data.target_ends == (-1, 1)
    assert next(iter(data.test_dataloader()))[1].tolist() == [-2, 4]
    assert next(iter(data.test_dataloader()))[1].dtype == torch.float32
    assert data.num_outputs == 1


def test_real_regression_data_come_out_centred():
    data = ArrayDataModule(diabetes, batch_size=32, test_size=88, validation_size=88)
    data.setup()
    x, y = (torch.cat(parts).double() for parts in zip(*data.train_dataloader(), strict=True))
    assert x.mean(0).abs().max() < 1e-6
    assert (x.std(0, correction=0) - 1).abs().max() < 1e-6
    assert abs(y.mean()) < 1e-6
    assert abs(y.std(correction=0) - 1) < 1e-6
    assert data.target_scale == pytest.approx(diabetes().y[data.split.train].astype(np.float64).std())


def test_source_options_reach_the_source():
    data = ArrayDataModule(moons, batch_size=8, test_size=10, validation_size=10, samples=50, noise=0.1, sample_seed=0)
    assert data.sizes == (30, 10, 10)
    with pytest.raises(TypeError, match="unexpected keyword argument 'typo'"):
        digits_module(typo=1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 0}, r"^data\.batch_size=0: needs a whole number of at least 1, e\.g\. data\.batch_size=32$"),
        ({"batch_size": 2.5}, r"^data\.batch_size=2\.5: "),
        ({"batch_size": True}, r"^data\.batch_size=true: "),
        ({"batch_size": None}, r"^data\.batch_size=null: "),
        ({"eval_batch_size": 0}, r"^data\.eval_batch_size=0: "),
        ({"pixel_range": [1, 0]}, r"^data\.pixel_range=\[1, 0\]: "),
        ({"standardize": "yes"}, r"^data\.standardize=yes: choose true, false or null$"),
        ({"validation_size": 1.5}, r"^data\.validation_size=1\.5: "),
    ],
)
def test_bad_options_are_refused_at_the_door(changes, message):
    with pytest.raises(ConfigError, match=message):
        digits_module(**changes)


def test_options_that_do_not_suit_the_data_are_refused():
    table = small(np.zeros((10, 3), np.float32))
    with pytest.raises(ConfigError, match=r"data\.pixel_range=\[0\.0, 1\.0\]: .*not pixels.*data\.pixel_range=null"):
        _ = module_of(table, pixel_range=[0, 1]).sizes
    with pytest.raises(ConfigError, match=r"data\.standardize=true: .*data\.standardize=null"):
        _ = digits_module(standardize=True).sizes


def test_the_validation_set_of_a_file_is_the_one_that_validates(tmp_path):
    x = np.random.default_rng(0).normal(size=(24, 3)).astype(np.float32)
    y = np.arange(24) % 3
    rows = {"train": slice(0, 12), "val": slice(12, 17), "test": slice(17, 24)}
    np.savez(
        tmp_path / "own.npz", **{f"{name}_{part}": a[r] for part, r in rows.items() for name, a in (("x", x), ("y", y))}
    )
    data = ArrayDataModule(npz, batch_size=4, validation=None, standardize=False, path=str(tmp_path / "own.npz"))
    data.setup()
    for part, loader in (("val", data.val_dataloader()), ("test", data.test_dataloader())):
        ((batch, labels),) = loader
        assert np.array_equal(batch.numpy(), x[rows[part]])
        assert labels.tolist() == y[rows[part]].tolist()
    assert data.sizes == (12, 5, 7)
    assert not data.selected_on_test


def test_labels_of_any_source_are_numbered_without_gaps():
    def gapped():
        return small(np.zeros((10, 3), np.float32), np.array([0, 1, 3] * 3 + [2]))

    with pytest.raises(ConfigError, match=r"source\._target_=\S*gapped: the training labels are 0, 1, 3; number the"):
        _ = ArrayDataModule(gapped, batch_size=4, validation="last", validation_size=2).sizes
    rare = small(np.zeros((10, 3), np.float32), np.array([0, 1] * 3 + [2] + [0, 1, 0]))
    assert 2 not in rare.y[module_of(rare).split.train]  # a class that the validation set happens to take is no gap


def test_trainers_that_would_freeze_the_order_are_refused(trainer):
    with pytest.raises(ConfigError, match=r"trainer\.overfit_batches=1: .*limit_train_batches"):
        trainer(max_epochs=1, overfit_batches=1, enable_checkpointing=False).fit(Recorder(), datamodule=digits_module())


def test_whole_batches_are_the_same_in_every_process_and_leave_the_short_one_out():
    data = module_of(small(np.arange(17, dtype=np.float32)[:, None]), seed=3)  # 13 for training: 3 batches of 4, and 1
    data.setup()
    batches = [x[:, 0].tolist() for x, _ in data.whole_batches(samples=1000)]
    assert [len(batch) for batch in batches] == [4, 4, 4]
    training = {value for x, _ in data.train_dataloader() for value in x[:, 0].tolist()}
    assert len({value for batch in batches for value in batch} & training) == 12
    assert batches != [x[:, 0].tolist() for x, _ in data.train_dataloader()][:3]  # a stream of their own
    data._shard = (1, 2)  # the second of two
    assert [len(y) for _, y in data.train_dataloader()] == [2, 2, 2, 0]
    assert [x[:, 0].tolist() for x, _ in data.whole_batches(samples=1000)] == batches
    assert [x[:, 0].tolist() for x, _ in data.whole_batches(samples=5)] == batches[:2]
    short = module_of(small(np.zeros((7, 1), np.float32)))
    short.setup()
    assert [len(y) for _, y in short.whole_batches(samples=1000)] == [3]


def test_runs_of_one_process_share_the_data_however_often_hydra_wraps_the_source(compose):
    first, second = (build.data(compose(f"seed={seed}")) for seed in (0, 1))
    assert first.arrays is second.arrays
