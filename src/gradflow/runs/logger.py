"""TensorBoard events in the run folder itself, one event per step however many tags it has."""

import errno
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from lightning.pytorch.loggers import TensorBoardLogger
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2, summary_v2
from torch.utils.tensorboard import SummaryWriter

from gradflow.errors import CannotWrite
from gradflow.runs import durable, folders
from gradflow.runs.events import EventFile, scalar_events
from gradflow.runs.integrity import lacking


class OnDemand:
    """PyTorch's SummaryWriter, created when something is added: Lightning asks every logger for one, needed or not."""

    def __init__(self, folder: str | Path) -> None:
        self._folder = folder
        self._writer: SummaryWriter | None = None

    def __getattr__(self, name: str) -> Any:
        if self._writer is None:
            self._writer = SummaryWriter(str(self._folder), filename_suffix=".callbacks")  # no EventFile has this name
        return getattr(self._writer, name)

    def flush(self) -> None:
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


class RunLogger(TensorBoardLogger):
    """Lightning's TensorBoard logger with the events at the top of the run folder.

    Whoever has it writes, whatever rank the environment claims: only the process that holds the folder gets one.

    Args:
        folder: the run folder.
    """

    def __init__(self, folder: str | Path) -> None:
        super().__init__(save_dir=str(folder), name="", version="", default_hp_metric=False)
        self._events = EventFile(Path(folder))
        self._others = OnDemand(folder)
        self._synced: dict[str, int] = {}

    @property
    def experiment(self) -> Any:
        """PyTorch's SummaryWriter, for your own callbacks; what they add goes into a second event file."""
        return self._others

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Write scalars at one step, all in one event."""
        self.log_rows(list(metrics), [step or 0], np.array([[float(v) for v in metrics.values()]]), [time.time()])

    def log_rows(
        self, tags: Sequence[str], steps: Sequence[int], values_SK: np.ndarray, times: Sequence[float]
    ) -> None:
        """Write a table of scalars, each row at its own step and time, as one event."""
        self._events.write(scalar_events(tags, steps, values_SK.tolist(), times))

    def log_trial(
        self, *, trial: str, hparams: Mapping[str, Any], varying: Sequence[str], metrics: Sequence[str]
    ) -> None:
        """Declare this run as one session of a trial: the HParams page then averages the seeds of a trial.

        Args:
            trial: what the seeds of one configuration share.
            hparams: scalars that describe the configuration; values of other types are shown as text.
            varying: the hparams that differ between the configurations of a study, which get columns.
            metrics: the scalar tags of the page's other columns, of which it shows five at first.
        """
        shown = {k: v if isinstance(v, bool | int | float | str) else str(v) for k, v in hparams.items()}
        kinds = {bool: api_pb2.DATA_TYPE_BOOL, str: api_pb2.DATA_TYPE_STRING}
        config = summary_v2.hparams_config_pb(
            hparams=[summary_v2.HParam(name) for name in varying],
            metrics=[summary_v2.Metric(tag) for tag in metrics],
        )
        plugin = plugin_data_pb2.HParamsPluginData.FromString(config.value[0].metadata.plugin_data.content)
        for info in plugin.experiment.hparam_infos:
            info.differs = True
            info.type = kinds.get(type(shown[info.name]), api_pb2.DATA_TYPE_FLOAT64)
        config.value[0].metadata.plugin_data.content = plugin.SerializeToString()
        for summary in (config, summary_v2.hparams_pb(shown, trial_id=trial)):
            self._log_summary(summary, 0)

    def log_picture(self, tag: str, png: bytes, *, width: int, height: int, step: int) -> None:
        """Write a PNG picture unchanged."""
        image = Summary.Image(height=height, width=width, colorspace=4, encoded_image_string=png)
        summary = Summary(value=[Summary.Value(tag=tag, image=image)])
        self._log_summary(summary, step)

    def save(self) -> None:
        """Flush; the composed configuration in `.hydra/` replaces Lightning's hparams.yaml."""
        self._others.flush()

    def sizes(self) -> dict[str, int]:
        """Bytes in every event file of the folder, everything written so far included and on the disk.

        Raises:
            CannotWrite: if they cannot be put there, or somebody has removed or cut a file meanwhile.
        """
        self.save()
        folder = Path(self.log_dir)
        if (fault := lacking(folder, self._synced)) is not None:
            raise CannotWrite(errno.ESTALE, fault, str(folder))
        sizes = {file.name: file.stat().st_size for file in folder.glob(folders.EVENT_FILES)}
        for name in sizes.keys() if sizes != self._synced else ():
            with durable.naming(folder / name):
                durable.sync(folder / name)
        if sizes.keys() - self._synced.keys():
            durable.sync(folder)
        self._synced = sizes
        return sizes

    def finalize(self, status: str) -> None:
        """Flush only: a run is a fit and its tests, and `close` ends the session for both."""
        self.save()

    def close(self, *, finished: bool) -> None:
        """Mark the trial's session as ended."""
        status = api_pb2.STATUS_SUCCESS if finished else api_pb2.STATUS_FAILURE
        end = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=time.time())
        described = metadata.create_summary_metadata(plugin_data_pb2.HParamsPluginData(session_end_info=end))
        value = Summary.Value(tag=metadata.SESSION_END_INFO_TAG, metadata=described, tensor=metadata.NULL_TENSOR)
        self._log_summary(Summary(value=[value]), 0)
        self._others.close()

    def _log_summary(self, summary: Summary, step: int) -> None:
        self._events.write([Event(wall_time=time.time(), step=step, summary=summary)])


def rewind(folder: Path, sizes: Mapping[str, int]) -> None:
    """Cut the event files of a run folder back to what they held at a checkpoint, so that no point is written twice.

    Args:
        folder: the run folder; no logger may have it open.
        sizes: what `RunLogger.sizes` returned then. Files created since are removed.

    Raises:
        ValueError: if a file is shorter than that: cutting would lengthen it with zeros.
    """
    if (fault := lacking(folder, sizes)) is not None:
        raise ValueError(f"{folder}: {fault}")
    for file in folder.glob(folders.EVENT_FILES):
        if file.name in sizes:
            os.truncate(file, sizes[file.name])
        else:
            file.unlink()
