"""Events as TensorBoard reads them: steps, times, pictures, the HParams page."""

import csv
import time

import lightning as L
import numpy as np
import pytest
import torch
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.utilities import rank_zero_only
from power_cuts import recorded
from tensorboard import context
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.hparams import api_pb2, backend_context, get_experiment, list_session_groups

from gradflow.errors import CannotWrite
from gradflow.runs.events import curves
from gradflow.runs.logger import RunLogger, rewind
from gradflow.runs.scalars import write, write_rows

NAN, INF = float("nan"), float("inf")


def event_files(folder):
    return sorted(folder.glob("events.out.tfevents.*"))


def raw_events(folder):
    (file,) = event_files(folder)
    return [event for event in EventFileLoader(str(file)).Load() if event.HasField("summary")]


def read(folder):
    return EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()


def test_a_step_is_one_event_however_many_tags_it_has(tmp_path):
    logger = RunLogger(tmp_path)
    logger.log_metrics({"a": 1.0, "b": torch.tensor(2.0), "c": np.float64(3.0)}, 5)
    logger.save()
    (event,) = raw_events(tmp_path)
    assert event.step == 5
    assert [value.tag for value in event.summary.value] == ["a", "b", "c"]
    assert [read(tmp_path).Scalars(tag)[0].value for tag in "abc"] == [1, 2, 3]
    assert abs(event.wall_time - time.time()) < 60


def test_rows_keep_their_steps_and_times(tmp_path):
    logger = RunLogger(tmp_path)
    times = [1e9 + 0.25, 1e9 + 0.5, 1e9 + 3]
    logger.log_rows(["a", "b"], [0, 7, 20_000], np.array([[1, 2], [3, 4], [5, 6.0]]), times)
    logger.save()
    assert [(e.step, e.wall_time, e.value) for e in read(tmp_path).Scalars("b")] == [
        (0, times[0], 2),
        (7, times[1], 4),
        (20_000, times[2], 6),
    ]
    assert len(raw_events(tmp_path)) == 3


def test_more_points_than_tensorboard_keeps_by_default_are_all_there(tmp_path):
    logger = RunLogger(tmp_path)
    steps = list(range(12_000))
    logger.log_rows(["a"], steps, np.arange(12_000.0)[:, None], steps)
    logger.save()
    assert [event.step for event in read(tmp_path).Scalars("a")] == steps


@pytest.mark.parametrize("value", [NAN, INF, -INF, 1e39, -1e300])  # the last two are infinite in an event's float32
def test_values_that_an_event_cannot_hold_as_finite_are_left_out(tmp_path, value):
    logger = RunLogger(tmp_path)
    logger.log_metrics({"bad": value, "good": 3e38}, 1)
    logger.log_rows(["bad", "good"], [2], np.array([[value, 1e-40]]), [0.0])
    logger.save()
    assert read(tmp_path).Tags()["scalars"] == ["good"]
    assert [event.value for event in read(tmp_path).Scalars("good")] == pytest.approx([3e38, 1e-40], rel=1e-5, abs=0)


def test_a_picture_can_be_read_back(tmp_path):
    logger = RunLogger(tmp_path)
    logger.log_picture("depth", b"\x89PNG...", width=7, height=5, step=9)
    logger.save()
    (image,) = read(tmp_path).Images("depth")
    assert (image.encoded_image_string, image.width, image.height, image.step) == (b"\x89PNG...", 7, 5, 9)


def test_closing_ends_the_file_and_finalizing_does_not(tmp_path):
    logger = RunLogger(tmp_path)
    logger.log_metrics({"a": 1.0}, 0)
    logger.finalize("success")
    logger.log_metrics({"a": 2.0}, 1)
    logger.close(finished=True)
    assert len(event_files(tmp_path)) == 1
    assert [event.value for event in read(tmp_path).Scalars("a")] == [1, 2]


def test_what_a_callback_of_the_users_adds_goes_into_a_second_file(tmp_path):
    logger = RunLogger(tmp_path)
    logger.log_metrics({"a": 1.0}, 0)
    logger.experiment.add_histogram("weights", np.arange(9.0), 0)
    sizes = logger.sizes()
    logger.log_metrics({"a": 2.0}, 1)
    logger.experiment.add_scalar("theirs", 5.0, 1, new_style=False)
    logger.close(finished=True)
    assert sizes.keys() == {file.name for file in event_files(tmp_path)}
    assert len(sizes) == 2
    assert curves(tmp_path)["theirs"].values.tolist() == [5]
    assert [event.value for event in read(tmp_path).Scalars("a")] == [1, 2]
    rewind(tmp_path, sizes)
    assert curves(tmp_path).keys() == {"a"}
    assert curves(tmp_path)["a"].values.tolist() == [1]
    assert [event.step for event in read(tmp_path).Histograms("weights")] == [0]


def test_a_file_is_never_lengthened(tmp_path):
    logger = RunLogger(tmp_path)
    logger.log_metrics({"a": 1.0}, 0)
    sizes = logger.sizes()
    (file,) = event_files(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    with pytest.raises(ValueError, match=f"{file.name} has {len(whole) - 1} of {len(whole)} bytes"):
        rewind(tmp_path, sizes)
    assert file.read_bytes() == whole[:-1]
    file.unlink()
    with pytest.raises(ValueError, match=f"no {file.name}"):
        rewind(tmp_path, sizes)
    assert event_files(tmp_path) == []


def test_sizes_are_those_of_files_that_are_on_the_disk(tmp_path):
    logger = RunLogger(tmp_path)
    logger.log_metrics({"a": 1.0}, 0)
    logger.experiment.add_scalar("theirs", 5.0, 0)
    found = []
    with recorded(tmp_path, lambda synced, named: found.append(synced)):
        for step in range(3):
            logger.log_metrics({"a": 1.0}, step)
            sizes = logger.sizes()
            assert {name: len(content) for name, content in found[-1].items()} == sizes
            written = len(found)
            logger.sizes()
            assert len(found) == written  # there was nothing new
    logger.close(finished=True)


def test_a_file_that_vanishes_is_told_whoever_writes_it(tmp_path):
    logger = RunLogger(tmp_path)
    logger.experiment.add_scalar("theirs", 5.0, 0)
    logger.sizes()
    (file,) = event_files(tmp_path)
    file.unlink()
    with pytest.raises(CannotWrite, match=f"no {file.name}"):
        logger.sizes()
    logger.close(finished=False)


def test_the_run_writes_whatever_rank_the_environment_claims(tmp_path, monkeypatch):
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    log_session(tmp_path, trial="one", accuracy=0.5)
    assert curves(tmp_path)["test/acc"].values.tolist() == [0.5]


class HParamsPage:
    """What TensorBoard's HParams plugin shows of a log directory."""

    def __init__(self, folder):
        multiplexer = EventMultiplexer().AddRunsFromDirectory(str(folder)).Reload()
        provider = MultiplexerDataProvider(multiplexer, str(folder))
        self._backend = backend_context.Context(TBContext(data_provider=provider))
        self._request = context.RequestContext()

    def experiment(self):
        request = api_pb2.GetExperimentRequest()
        handler = get_experiment.Handler(self._request, self._backend, "", request)
        return handler.run()

    def groups(self):
        states = [api_pb2.STATUS_SUCCESS, api_pb2.STATUS_FAILURE, api_pb2.STATUS_RUNNING, api_pb2.STATUS_UNKNOWN]
        request = api_pb2.ListSessionGroupsRequest(
            start_index=0, slice_size=100, allowed_statuses=states, aggregation_type=api_pb2.AGGREGATION_AVG
        )
        return list(list_session_groups.Handler(self._request, self._backend, "", request).run().session_groups)


HPARAMS = {"activation": "relu", "blocks": 4, "lr": 1e-3, "residual": False, "width": [8, 4]}
VARYING = ["activation", "blocks", "residual", "width"]


def log_session(folder, *, trial, accuracy, finished=True):
    logger = RunLogger(folder)
    logger.log_trial(trial=trial, hparams=HPARAMS, varying=VARYING, metrics=["test/acc"])
    logger.log_metrics({"test/acc": accuracy}, 10)
    logger.close(finished=finished)


def test_sessions_of_one_trial_are_one_row_with_their_mean(tmp_path):
    for seed, accuracy in enumerate([0.5, 0.75]):
        log_session(tmp_path / "relu" / f"seed={seed}", trial="relu", accuracy=accuracy)
    log_session(tmp_path / "elu" / "seed=0", trial="elu", accuracy=0.25)
    groups = {group.name: group for group in HParamsPage(tmp_path).groups()}
    assert set(groups) == {"relu", "elu"}
    assert len(groups["relu"].sessions) == 2
    assert [value.value for value in groups["relu"].metric_values] == [0.625]
    assert [value.value for value in groups["elu"].metric_values] == [0.25]


def test_hyperparameters_come_back_with_their_types(tmp_path):
    log_session(tmp_path / "run", trial="one", accuracy=0.5)
    page = HParamsPage(tmp_path)
    (group,) = page.groups()
    fields = {name: value.WhichOneof("kind") for name, value in group.hparams.items()}
    assert fields == {
        "activation": "string_value",
        "blocks": "number_value",
        "lr": "number_value",
        "residual": "bool_value",
        "width": "string_value",
    }
    assert group.hparams["lr"].number_value == 1e-3
    assert group.hparams["width"].string_value == "[8, 4]"
    types = {info.name: info.type for info in page.experiment().hparam_infos}
    assert types == {
        "activation": api_pb2.DATA_TYPE_STRING,
        "blocks": api_pb2.DATA_TYPE_FLOAT64,
        "residual": api_pb2.DATA_TYPE_BOOL,
        "width": api_pb2.DATA_TYPE_STRING,
    }
    assert all(info.differs for info in page.experiment().hparam_infos)
    assert [metric.name.tag for metric in page.experiment().metric_infos] == ["test/acc"]


@pytest.mark.parametrize(("finished", "status"), [(True, api_pb2.STATUS_SUCCESS), (False, api_pb2.STATUS_FAILURE)])
def test_a_sessions_end_is_recorded(tmp_path, finished, status):
    log_session(tmp_path / "run", trial="one", accuracy=0.5, finished=finished)
    ((session,),) = [group.sessions for group in HParamsPage(tmp_path).groups()]
    assert session.status == status
    assert session.start_time_secs <= session.end_time_secs <= time.time()


class Batches:
    def __len__(self):
        return 3

    def __iter__(self):
        return iter([torch.ones(1, 2)] * 3)


class Tiny(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def training_step(self, batch, batch_idx):
        return self.layer(batch).square().mean()

    def test_step(self, batch, batch_idx):
        write(self.trainer.loggers, {"test/loss": 1.0}, batch_idx)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def test_a_fit_and_its_tests_share_one_file_and_nothing_else_is_written(tmp_path):
    logger = RunLogger(tmp_path)
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
    trainer = L.Trainer(accelerator="cpu", max_epochs=1, logger=logger, log_every_n_steps=1, **quiet)
    trainer.fit(Tiny(), Batches())
    trainer.test(trainer.lightning_module, Batches(), verbose=False)
    logger.close(finished=True)
    assert [file.name for file in tmp_path.iterdir()] == [file.name for file in event_files(tmp_path)]
    assert len(event_files(tmp_path)) == 1
    assert set(read(tmp_path).Tags()["scalars"]) == {"test/loss"}  # no hp_metric, no epoch


def test_any_other_logger_gets_the_same_rows(tmp_path):
    loggers = [RunLogger(tmp_path / "tensorboard"), other := CSVLogger(tmp_path, name="", version="csv")]
    write_rows(loggers, ["a", "b"], [0, 4], np.array([[1.0, 2.0], [3.0, NAN]]), [0.0, 1.0])
    write(loggers, {"c": 5.0}, 9)
    for logger in loggers:
        logger.save()
    with open(other.experiment.metrics_file_path) as file:  # noqa: PTH123
        rows = [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]
    assert rows == [{"a": 1, "b": 2, "step": 0}, {"a": 3, "step": 4}, {"c": 5, "step": 9}]
    assert read(tmp_path / "tensorboard").Scalars("a")[1].step == 4
