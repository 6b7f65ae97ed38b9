"""Every scalar of a run in MLflow's tracking."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gradflow.runs.further_logger import Described, FurtherLogger, Row, reason
from gradflow.runs.record import State

MOST_METRICS, MOST_PARAMS = 1000, 100  # that MLflow takes at once
LONGEST_PARAM = 6000  # characters
STATUS = {State.FINISHED: "FINISHED", State.CUT_SHORT: "FINISHED", State.INTERRUPTED: "KILLED"}


class MLflowRun(FurtherLogger):
    """A run of MLflow per run: the seed is its name, the configuration a tag, all values its parameters.

    Args:
        folder: the run folder.
        experiment: the name of MLflow's experiment; created if need be.
        tracking_uri: None for MLflow's own choice: the environment variable MLFLOW_TRACKING_URI, otherwise a place
            below the working directory.
    """

    package = "mlflow"

    def __init__(self, folder: str | Path, experiment: str = "gradflow", tracking_uri: str | None = None) -> None:
        super().__init__(folder)
        self._experiment, self._uri = experiment, tracking_uri
        self._client: Any = None
        self._id: str | None = None

    @classmethod
    def fault(cls, options: Mapping[str, Any]) -> str | None:
        from mlflow import MlflowClient

        try:
            MlflowClient(options.get("tracking_uri"))
        except Exception as error:  # of many kinds; a server is not asked yet
            return f"no tracking there ({reason(error)}); name another place, e.g. logger.mlflow.tracking_uri=sqlite:///mlflow.db"
        return None

    @property
    def name(self) -> str:
        return "mlflow"

    def _open(self, run: Described) -> None:
        from mlflow import MlflowClient
        from mlflow.entities import Param

        if self._id is not None:
            return
        self._client = MlflowClient(self._uri)
        if entry := self._kept():
            self._client.update_run(entry["id"], status="RUNNING")
            self._id = entry["id"]
            return
        tags = {"study": run.study, "config": run.config, "folder": str(self._folder.absolute())}
        made = self._client.create_run(self._experiment_id(), run_name=run.name, tags=tags)
        self._keep({"id": made.info.run_id, "rows": self._first})
        params = [Param(key, str(value)[:LONGEST_PARAM]) for key, value in run.hparams.items()]
        for start in range(0, len(params), MOST_PARAMS):
            self._client.log_batch(made.info.run_id, params=params[start : start + MOST_PARAMS])
        self._id = made.info.run_id

    def _experiment_id(self) -> str:
        from mlflow.exceptions import MlflowException

        found = self._client.get_experiment_by_name(self._experiment)
        if found is None:
            try:
                return self._client.create_experiment(self._experiment)
            except MlflowException:  # another process has created it meanwhile
                found = self._client.get_experiment_by_name(self._experiment)
        return found.experiment_id

    def _sent(self) -> int:
        return int(self._kept()["rows"])

    def _send(self, rows: Sequence[Row], *, first: int) -> None:
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        points = [Metric(tag, value, now, row.step) for row in rows for tag, value in row.values.items()]
        for start in range(0, len(points), MOST_METRICS):
            self._client.log_batch(self._id, metrics=points[start : start + MOST_METRICS])
        self._keep(self._kept() | {"rows": first + len(rows)})

    def _close(self, state: str) -> None:
        if self._id is not None:
            self._client.set_tag(self._id, "state", state)
            self._client.set_terminated(self._id, STATUS.get(State(state), "FAILED"))
            self._client = self._id = None
