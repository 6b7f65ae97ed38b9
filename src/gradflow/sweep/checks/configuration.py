"""Is this configuration sensible? If not, one clear error (key, value, remedy) before anything is trained."""

import tempfile
from pathlib import Path

from omegaconf import DictConfig, ListConfig

from gradflow.errors import ConfigError, check_whole, nearest, shown
from gradflow.models.blocks import NORMS
from gradflow.runs import durable
from gradflow.sweep.checks import training
from gradflow.sweep.checks.values import arguments_fit, number, whole

GROUPS = ("activation", "model", "init", "data", "optimizer", "schedule", "trainer", "logger")
SWITCHES = ("compile", "flush_denormal", "rerun", "resample_split")
KNOBS = (
    *("blocks", "width", "seed", "precision", "batch_norm", "batch_norm_samples", "threads"),
    *("runs_per_job", "steps_per_execution", *SWITCHES),
    *("study", "headline", "output", "output_dir", "data_dir", "resume", "callbacks"),
)


def check(cfg: DictConfig) -> None:
    """Refuse values that make no sense.

    Raises:
        ConfigError: naming key, value and remedy.
    """
    _known_keys(cfg)
    for group in GROUPS:
        arguments_fit(cfg, group)
    _callbacks(cfg)
    _size(cfg)
    _model(cfg)
    training.check(cfg)
    for key, example in (("study", "digits_conv"), ("output_dir", "outputs")):
        if not isinstance(cfg[key], str) or not cfg[key].strip():
            raise ConfigError(f"{key}={shown(cfg[key])}: needs a name, e.g. {key}={example}")
    if Path(cfg.study).name != cfg.study or cfg.study in (".", ".."):
        raise ConfigError(f"study={cfg.study}: needs the name of one folder; the folder above it is output_dir")
    for key in SWITCHES:
        if not isinstance(cfg[key], bool):
            raise ConfigError(f"{key}={shown(cfg[key])}: choose true or false")


def check_seed(cfg: DictConfig) -> None:
    """Refuse a seed that is not a whole number of at least 0."""
    whole(cfg, "seed", at_least=0)


def check_writable(folder: Path) -> None:
    """Create the folder; refuse one that cannot be written to."""
    try:
        durable.make_folder(folder)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigError(
            f"output_dir={folder.parent}: cannot write to {folder} ({error.strerror}); choose another output_dir"
        ) from error


def _known_keys(cfg: DictConfig) -> None:
    known = [*GROUPS, *KNOBS]
    for key in cfg:
        if key not in known:
            raise ConfigError(f"{key!s}={cfg[key]}: no such key{nearest(str(key), known)}")
    for needed in known:
        if needed not in cfg:
            raise ConfigError(f"{needed}: missing; leave ~{needed} out of the command")


def _callbacks(cfg: DictConfig) -> None:
    if not isinstance(cfg.callbacks, DictConfig):
        raise ConfigError(f"callbacks={shown(cfg.callbacks)}: use callbacks=none to switch them all off")
    for name, callback in cfg.callbacks.items():
        key = f"callbacks.{name!s}"
        if callback is None:
            continue
        if not isinstance(callback, DictConfig) or "_target_" not in callback:
            raise ConfigError(f"{key}={shown(callback)}: needs a _target_, or {key}=null for none")
        arguments_fit(cfg, key)
        if "every_n_steps" in callback:
            whole(cfg, f"{key}.every_n_steps", at_least=1)


def _size(cfg: DictConfig) -> None:
    """blocks and width: whole numbers of at least 1, and only where the model uses them."""
    for key in ("blocks", "width"):
        value = cfg[key]
        if key not in cfg.model:
            if value is not None:
                raise ConfigError(f"{key}={value}: model={cfg.model.get('name')} has a fixed size; leave {key} out")
        elif key == "width" and isinstance(value, ListConfig):
            for one in value:
                check_whole(key, one, at_least=1, example="[64,32]")
        else:
            whole(cfg, key, at_least=1)
        if key in cfg.model and cfg.model[key] != value:
            raise ConfigError(f"model.{key}={shown(cfg.model[key])}: set the knob itself, {key}={cfg.model[key]}")


def _model(cfg: DictConfig) -> None:
    model = cfg.model
    if "norm" in model and model.norm not in NORMS:
        raise ConfigError(f"model.norm={shown(model.norm)}: choose one of {', '.join(NORMS)}")
    if "dropout" in model:
        number(cfg, "model.dropout", low=0.0, high=1.0, example=0.1)
    if "kernel_size" in model:
        whole(cfg, "model.kernel_size", at_least=1)
    for key in ("bias", "residual"):
        if key in model and not isinstance(model[key], bool):
            raise ConfigError(f"model.{key}={shown(model[key])}: choose true or false")
