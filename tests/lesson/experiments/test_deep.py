"""What decides whether a deep network learns."""

import pytest
from torch import nn

from gradflow.lesson.experiments import deep, fit, telephone
from gradflow.lesson.experiments.effort import FULL
from gradflow.measure.batch_norm import recompute


def test_a_deep_training_starts_from_the_network_of_the_setting_and_the_seed():
    setting = telephone.SETTINGS[2]
    trained = deep.train("tanh", setting, seed=4, epochs=1)
    network = fit.make_mlp(nn.Tanh, blocks=deep.BLOCKS, width=64, seed=4, scheme="torch", norm="batch").eval()
    recompute(network, fit.statistics_batches(4))
    right = (network(fit.digit_data().x_test).argmax(dim=1) == fit.digit_data().y_test).double().mean()
    assert setting.name == telephone.BATCHNORM
    assert trained["epoch"].tolist() == [0, 1]
    assert trained["accuracy"][0] == float(right)
    assert trained["accuracy"][1] > 0.5
    assert set(trained["activation"]) | set(trained["setting"]) == {"tanh", "BatchNorm"}


@pytest.mark.slow
def test_what_decides_whether_a_deep_network_learns():
    """What the lesson says about deep networks, at full length."""
    settings = {setting.name: setting for setting in telephone.SETTINGS}

    def final(name, setting):
        return deep.train(name, settings[setting], seed=0, epochs=FULL.deep_epochs)["accuracy"].iloc[-1]

    assert max(final(name, telephone.PLAIN) for name in deep.ACTIVATIONS) < 0.3
    assert final("sigmoid", telephone.RIGHT) < 0.2
    assert min(final(name, telephone.RIGHT) for name in ("tanh", "relu", "gelu")) > 0.7
    assert min(final("sigmoid", way) for way in (telephone.BATCHNORM, telephone.RESIDUAL)) > 0.8
    for name in ("tanh", "relu", "gelu"):
        assert final(name, telephone.BOTH) < final(name, telephone.RESIDUAL) - 0.05
