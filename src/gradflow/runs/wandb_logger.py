"""Every scalar of a run at Weights & Biases."""

import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from gradflow.runs.further_logger import Described, FurtherLogger, Row
from gradflow.runs.record import State

STEP = "trainer/global_step"  # as Lightning's own logger calls it


class WandbRun(FurtherLogger):
    """A run of W&B per run: the configuration is its group, the seed its name, all values its config.

    W&B's own step is the number of the row, which only grows; charts have `trainer/global_step` as their axis.

    Args:
        folder: the run folder, which gets W&B's folder `wandb`.
        project: of W&B.
        entity: user or team; None for the user's default.
        mode: None for W&B's own choice: the environment variable WANDB_MODE, otherwise online.
    """

    package = "wandb"

    def __init__(
        self,
        folder: str | Path,
        project: str = "gradflow",
        entity: str | None = None,
        mode: Literal["online", "offline", "disabled"] | None = None,
    ) -> None:
        super().__init__(folder)
        self._project, self._entity, self._mode = project, entity, mode
        self._opened: Any = None

    @classmethod
    def fault(cls, options: Mapping[str, Any]) -> str | None:
        import wandb

        mode = options.get("mode") or os.environ.get("WANDB_MODE", "online")
        if mode == "online" and not wandb.login(prompt=False, verify=False):
            return "nobody is logged in to W&B; run wandb login first, or add logger.wandb.mode=offline"
        return None

    @property
    def name(self) -> str:
        return "wandb"

    @property
    def experiment(self) -> Any:
        """W&B's run, for your own callbacks; None until it has begun."""
        return self._opened

    def _open(self, run: Described) -> None:
        import wandb

        if self._opened is not None:
            return
        entry = self._kept() or {"id": secrets.token_hex(4), "rows": self._first}
        self._keep(entry)
        mode: Any = self._mode or os.environ.get("WANDB_MODE")  # which W&B itself reads once in a process
        self._opened = wandb.init(
            id=entry["id"],
            resume="allow",
            reinit="create_new",  # a run of the user's own, or of another thread, goes on
            project=self._project,
            entity=self._entity,
            group=run.config,
            name=run.name,
            config={"study": run.study, **run.hparams},
            dir=self._folder,
            mode=mode,
            settings=wandb.Settings(console="off", silent=True),
        )
        self._opened.define_metric(STEP)
        self._opened.define_metric("*", step_metric=STEP, step_sync=True)

    def _sent(self) -> int:
        return int(self._kept()["rows"])

    def _send(self, rows: Sequence[Row], *, first: int) -> None:
        for number, row in enumerate(rows, start=first):
            self._opened.log({**row.values, STEP: row.step}, step=number)
        self._keep(self._kept() | {"rows": first + len(rows)})

    def _close(self, state: str) -> None:
        if self._opened is not None:
            self._opened.summary["state"] = state
            self._opened.finish(exit_code=0 if state in (State.FINISHED, State.CUT_SHORT) else 1)
            self._opened = None
