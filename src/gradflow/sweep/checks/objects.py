"""Can everything be built for this data, and does the network fit it?"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from omegaconf import DictConfig

from gradflow.activations import probes
from gradflow.data.datamodule import ArrayDataModule
from gradflow.errors import ConfigError
from gradflow.models.layers import Layer
from gradflow.training import build


def check_builds(cfg: DictConfig, data: ArrayDataModule) -> None:
    """Refuse what cannot be built for this data, and networks whose outputs have another shape.

    Raises:
        ConfigError: naming the group.
    """
    with _refusal(f"activation._target_={cfg.activation.get('_target_')} model={cfg.model.get('name')}"):
        module = build.module(cfg, data)
        first: Layer = module.network.layers[0]  # type: ignore[index, assignment]
        assert first.activation is not None
        wrong = probes.where_own_slope_is_wrong(first.activation)
        with torch.no_grad():
            outputs = module.network.eval()(torch.zeros(2, *data.input_shape).to(next(module.parameters())))
    if outputs.shape != (2, data.num_outputs):
        raise ConfigError(
            f"activation._target_={cfg.activation.get('_target_')}: the network's outputs have shape "
            f"{tuple(outputs.shape)} for 2 samples and {data.num_outputs} outputs; an activation keeps the shape, or "
            "says by `pieces` how many inputs it takes for an output"
        )
    if wrong:
        raise ConfigError(f"activation._target_={cfg.activation.get('_target_')}: {wrong}; correct it, or leave it out")
    with _refusal(f"optimizer={cfg.optimizer.get('name')} schedule={cfg.schedule.get('name')}"):
        module.configure_optimizers()
    with _refusal("callbacks"):
        monitors = build.monitors(cfg)
    with _refusal("trainer"):
        build.trainer(cfg, Path(), callbacks=monitors)
    last = data.sizes.train % cfg.data.batch_size
    if cfg.model.get("norm") == "batch" and min(last or cfg.data.batch_size, cfg.data.batch_size) == 1:
        raise ConfigError(
            f"data.batch_size={cfg.data.batch_size}: the last of {data.sizes.train:,} samples would be a batch by "
            "itself, which batch normalisation cannot use; e.g. "
            f"data.batch_size={cfg.data.batch_size + 1} or model.norm=layer"
        )


@contextmanager
def _refusal(what: str) -> Iterator[None]:
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:
        reason = build.cause(error)
        raise ConfigError(f"{what}: cannot be built: {reason or type(reason).__name__}") from error
