"""Count dead, low-slope and dormant units over the whole validation set."""

import logging
from collections.abc import Mapping
from typing import Any

import lightning as L

from gradflow.callbacks.monitor import Monitor, network_of
from gradflow.errors import ConfigError
from gradflow.measure.unit_pass import UnitPass
from gradflow.runs import metrics, tags

log = logging.getLogger(__name__)


class UnitStatistics(Monitor):
    """Record unit statistics of any LightningModule in its validation passes.

    A validation pass runs in evaluation mode with the weights fixed, so listening to it costs no second pass. Batches
    of all validation dataloaders and all processes are pooled. Lightning's sanity check is recorded, at step 0, where
    it covers the whole validation set (`num_sanity_val_steps=-1`), and so is `trainer.validate`.

    What is measured, and what is not, is said in `gradflow.measure.unit_pass` and `docs/any_network_units.md`.

    Args:
        submodule: the path of the part of the module to look at, such as `generator`; None for all of it.
        units: the axis of the units by pattern of site paths, such as `{"features.*": -1}`; None leaves sites out.
        dead_units: write `dead_units/<site>` and `dead_units/total`.
        low_slope: write `low_slope/<site>` and `low_slope/total`.
        dormant_units: write `dormant_units/<site>` and `dormant_units/total`.
        every_n_validations: record the first of every n passes.

    Raises:
        ConfigError: if `every_n_validations` is under 1; later, if there is no such part.
    """

    declares = metrics.of_groups(*tags.UNIT_QUANTITIES)
    measures_initial_weights = True

    def __init__(
        self,
        *,
        submodule: str | None = None,
        units: Mapping[str, int | None] | None = None,
        dead_units: bool = True,
        low_slope: bool = True,
        dormant_units: bool = True,
        every_n_validations: int = 1,
    ) -> None:
        if every_n_validations < 1:
            raise ConfigError(f"every_n_validations={every_n_validations}: needs at least 1, every validation")
        self._submodule = submodule
        self._options: dict[str, Any] = {
            "units": units,
            "dead_units": dead_units,
            "low_slope": low_slope,
            "dormant_units": dormant_units,
        }
        self._every = every_n_validations
        self._passes = 0
        self._pass: UnitPass | None = None
        self._listening = False

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not trainer.enable_validation and trainer.is_global_zero:
            log.warning(
                "UnitStatistics listens to validation, of which there is none: nothing is recorded "
                "(give the trainer a validation set and the module a validation_step, or measure a network in a loop "
                "of your own by gradflow.measure.unit_pass.UnitPass)"
            )

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.sanity_checking and not _is_before_the_first_update(trainer):
            return
        self._passes += 1
        if (self._passes - 1) % self._every:
            return
        network = network_of(pl_module, self._submodule)
        if self._pass is None or self._pass.network is not network:
            self._pass = UnitPass(network, **self._options)
        self._pass.__enter__()
        self._listening = True

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not self._listening:
            return
        self._stop()
        assert self._pass is not None
        values = self._pass.values()
        for remark in self._pass.remarks():
            if trainer.is_global_zero:
                log.warning("UnitStatistics: %s", remark)
        if values:
            self.record(trainer, values)

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._listening and self._pass is not None:
            self._pass.__exit__()
        self._listening = False

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"passes": self._passes}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self._passes = state_dict.get("passes", 0)


def _is_before_the_first_update(trainer: L.Trainer) -> bool:
    """Whether the sanity check that is running measures the initial weights, over the whole validation set.

    Where training is resumed, its weights have been measured at the end of the epoch before.
    """
    return trainer.global_step == 0 and list(trainer.num_sanity_val_batches) == list(trainer.num_val_batches)
