"""Recomputed statistics in other people's LightningModules: by their own batches, without a trace in training."""

import copy

import pytest
import torch
import torch.nn.functional as F
from lightning.pytorch.callbacks import Callback
from own_modules import Classifier, loader, trainer

from gradflow.callbacks.precise_batch_norm import PreciseBatchNorm
from gradflow.errors import ConfigError

pytestmark = pytest.mark.filterwarnings("ignore:.*does not have many workers")


class Weights(Callback):
    """Keeps the network of every validation."""

    def __init__(self):
        self.seen = []

    def on_validation_end(self, trainer, pl_module):
        self.seen.append(copy.deepcopy(pl_module.network))


def precise(**options):
    return PreciseBatchNorm(**({"inputs": lambda batch: batch[0], "samples": 10_000} | options))


def fitted(tmp_path, *callbacks, generator=None, **options):
    torch.manual_seed(0)
    module = Classifier()
    train = loader(shuffle=True, generator=generator)
    trainer(tmp_path, *callbacks, **options).fit(module, train, loader(batch_size=24))
    return module


@torch.no_grad()
def by_hand(network, x_batches, x, y):
    """The loss in float64, normalised by the means of these batches' means and variances."""
    network = copy.deepcopy(network).double().eval()
    z_batches = [network.conv(part.double()).transpose(0, 1).flatten(1) for part in x_batches]
    network.norm.running_mean = torch.stack([z.mean(1) for z in z_batches]).mean(0)
    network.norm.running_var = torch.stack([z.var(1) for z in z_batches]).mean(0)
    return float(F.cross_entropy(network(x.double()), y))


def test_evaluation_normalises_by_whole_training_batches_at_the_weights_evaluated(tmp_path):
    x, y = next(iter(loader(batch_size=24)))
    torch.manual_seed(0)
    module = Classifier()
    runner = trainer(tmp_path, precise(), weights := Weights())
    runner.fit(module, loader(), loader(batch_size=24))  # in order: the four whole batches of five
    expected = [by_hand(network, x[:20].split(5), x, y) for network in weights.seen]
    assert module.scores == pytest.approx(expected, rel=1e-5)
    without = fitted(tmp_path)
    assert abs(without.scores[-1] - module.scores[-1]) > 1e-3


@pytest.mark.parametrize("own_generator", [False, True])
@pytest.mark.parametrize("interval", [1.0, 0.5], ids=["every epoch", "in the middle"])
def test_training_is_bit_identical_in_weights_averages_and_order_of_batches(tmp_path, own_generator, interval):
    def run(*callbacks):
        generator = torch.Generator().manual_seed(1) if own_generator else None
        return fitted(tmp_path, *callbacks, generator=generator, val_check_interval=interval)

    without, module = run(), run(precise(samples=7))
    assert module.seen == without.seen
    assert all(torch.equal(value, without.state_dict()[name]) for name, value in module.state_dict().items())
    assert module.scores != without.scores


def test_the_same_batches_serve_every_evaluation(tmp_path):
    torch.manual_seed(0)
    module = Classifier(lr=0.0)
    trainer(tmp_path, precise(samples=10)).fit(module, loader(shuffle=True), loader(batch_size=24))
    assert module.scores[0] == module.scores[1]


def test_the_sanity_check_and_a_test_without_training_use_running_averages(tmp_path, caplog):
    module, without = Classifier(), Classifier()
    without.load_state_dict(module.state_dict())
    trainer(tmp_path, precise()).test(module, loader(), verbose=False)
    trainer(tmp_path).test(without, loader(), verbose=False)
    assert module.scores == without.scores
    (message,) = [record.message for record in caplog.records if record.name.startswith("gradflow")]
    assert message == "PreciseBatchNorm: there are no training batches here, so the running averages are used"
    fitted(tmp_path, precise(), num_sanity_val_steps=1)


def test_what_it_cannot_do_is_refused_before_training(tmp_path):
    class Headless(Classifier):
        forward = torch.nn.Module.forward

    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter(loader())

    with pytest.raises(ConfigError, match="inputs=lambda batch"):
        fitted(tmp_path, PreciseBatchNorm())
    with pytest.raises(ConfigError, match="name the part"):
        trainer(tmp_path, precise()).fit(Headless(), loader(), loader())
    with pytest.raises(ConfigError, match="samples=0"):
        precise(samples=0)
    stream = torch.utils.data.DataLoader(Stream(), batch_size=None)
    runner = trainer(tmp_path, precise())
    with pytest.raises(ConfigError, match="the training data is a Stream"):
        runner.fit(Classifier(), stream, loader())
