"""What can be told of a configuration before anything is trained."""

import pytest
from torch import nn

from gradflow.training import build


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["model=conv"], True),
        (["model=conv", "model.norm=group"], False),
        (["model=mlp"], False),
        (["model=mlp", "model.norm=batch"], True),
        (["model=lenet5"], False),
    ],
)
def test_whether_the_packages_networks_have_batch_norm_is_what_building_them_shows(
    compose, monkeypatch, overrides, expected
):
    cfg = compose(*overrides)
    data = build.data(cfg)
    made = build.network(cfg, data)
    assert any(isinstance(one, nn.modules.batchnorm._BatchNorm) for one in made.modules()) == expected
    monkeypatch.setattr(build, "network", lambda *_: pytest.fail("it was built"))
    assert build.has_batch_norm(cfg, data) == expected


@pytest.mark.parametrize("extra", ["batch", "layer", "none"])
def test_other_networks_are_built_to_tell(compose, extra):
    own = ("model._target_=own_networks.OwnNetwork", f"+model.extra={extra}")
    cfg = compose("model=mlp", "width=4", "model.norm=none", *own)
    assert build.has_batch_norm(cfg, build.data(cfg)) == (extra == "batch")
