"""One run, from its configuration to a finished run folder: who holds the folder, where to start, how it ended."""

import errno
import functools
import logging
import math
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import lightning as L
import torch
from omegaconf import DictConfig

from gradflow import terminal
from gradflow.activations import facts
from gradflow.callbacks.monitor import declared
from gradflow.data.datamodule import ArrayDataModule
from gradflow.errors import CannotWrite, Diverged
from gradflow.measure.constant_answers import constant_loss, majority_share
from gradflow.runs import durable, folders, further_logger, identity, integrity, logged, tags
from gradflow.runs.further_logger import Described
from gradflow.runs.logger import RunLogger, rewind
from gradflow.runs.progress import remove_progress
from gradflow.runs.provenance import device_name, provenance
from gradflow.runs.record import Clock, EventsEntry, Record, State, error_entry, now, read_record, write_record
from gradflow.runs.states import is_over, state_shown, why
from gradflow.training import build
from gradflow.training.architecture import activation
from gradflow.training.checkpoints import saved
from gradflow.training.cut_short import TimeIsOver, by_limits, by_time
from gradflow.training.devices import OwnEnvironment, companions
from gradflow.training.failures import may_pass
from gradflow.training.fit import (
    Parts,
    build_parts,
    end_where_it_ended,
    final_metrics,
    fit_and_test,
    train_along,
)
from gradflow.training.folder import lock, resume_point, start
from gradflow.training.hparams import trial
from gradflow.training.longer import copied_from, described, start_from_shorter
from gradflow.training.module import ActivationModule
from gradflow.training.process import lightning_called, processes

log = logging.getLogger(__name__)
ALONE = "run 1/1"  # the position of a sweep's only run
_SMALL = 1e-3  # smaller values are said as powers of ten


def run(cfg: DictConfig, folder: Path, *, position: str = ALONE) -> Record | None:
    """Train and test one configuration in its folder; the final run.json.

    Args:
        cfg: the composed configuration.
        folder: the run folder, planned before.
        position: which run of the sweep this is, as it is shown.

    Raises:
        Exception: whatever the training raised, after it has been written to run.json and train.log. A run that
            diverges is a result and raises nothing.
    """
    terminal.configure()
    durable.make_folder(folder)
    with lock(folder) as mine, ExitStack() as at_the_end:
        if not mine:
            terminal.say(f"{folder}: another process is training this run; skipping it", style="yellow")
            return read_record(folder)
        present = read_record(folder)
        if present is not None and is_over(present):
            terminal.say(f"{folder}: another process has trained this run in the meantime", style="yellow")
            return present
        record = start(cfg, folder)
        with durable.naming(folder / folders.LOG_FILE):
            at_the_end.callback(terminal.stop_logging, terminal.log_to(folder / folders.LOG_FILE))
        remove_progress(folder)  # of an attempt that was killed
        resume = resume_point(folder, record)
        clock = Clock(after=record["duration_s"] if resume else None)
        record |= {"state": State.RUNNING, "attempts": record["attempts"] + 1, "metrics": {}}
        record |= {"error": None, "cut_short_by": None, "events": None}
        if resume is None:
            record |= {"started": clock.started, "started_from": None}
        try:
            with lightning_called():
                train(cfg, folder, record, resume, position=position)
            durable.sync_tree(folder)  # before run.json says that all of it is there
        except Exception as error:
            log.exception("the run failed")
            record |= {"state": State.FAILED, "error": error_entry(error, may_pass=may_pass(error))}
            raise
        except BaseException as error:
            record |= {"state": State.INTERRUPTED, "error": error_entry(error)}
            raise
        finally:
            record |= {"finished": now(), "duration_s": clock.seconds}
            write_record(folder, record)
        if not terminal.is_followed():
            terminal.say(f"  {position}: {result(record)}")
        return record


def result(record: Record) -> str:
    """What came of a run that has ended, in words: its state, and why, or its scores, and the time that it took."""
    final = record["metrics"]
    parts = [state_shown(record)]
    if record["state"] == State.FAILED:
        parts[0] += f": {why(record)}"
    shown = (record["headline"], tags.GAIN_PER_LAYER, tags.of_layer(tags.DEAD_UNITS, tags.TOTAL))
    for tag in dict.fromkeys(shown):
        value = final.get(tag)
        if value is not None and math.isfinite(value):
            parts.append(f"{tag} {value:.1e}" if 0 < abs(value) < _SMALL else f"{tag} {value:.3f}")
    return f"{', '.join(parts)} in {record['duration_s'] or 0.0:.1f} s"


def train(cfg: DictConfig, folder: Path, record: Record, resume: Path | None, *, position: str) -> None:
    """Fit, then test the last and the best epoch.

    Args:
        cfg: the composed configuration.
        folder: the run folder.
        record: its run.json, which gets all that training finds out; written before the first step.
        resume: the checkpoint to resume from; None to start, from a copy of a shorter run if there is one.
        position: which run of the sweep this is.
    """
    resume = resume or start_from_shorter(cfg, folder, record)
    with companions(processes(cfg), functools.partial(train_along, cfg, folder, resume)) as environment:
        _train(cfg, folder, record, resume, environment, position=position)


def _train(
    cfg: DictConfig,
    folder: Path,
    record: Record,
    resume: Path | None,
    environment: OwnEnvironment,
    *,
    position: str,
) -> None:
    axes = " ".join(f"{axis}={value}" for axis, value in record["axes"].items())
    title = f"{position}: {axes} seed={record['seed']}"
    loggers = build.loggers(cfg, folder)
    recorder = next((one for one in loggers if isinstance(one, RunLogger)), None)
    parts = build_parts(cfg, folder, environment, loggers=loggers, tells_progress=True)
    module, trainer = parts.module, parts.trainer
    _describe(cfg, parts, record)
    checkpoint = None if resume is None else saved(resume)
    copied = None if checkpoint is None else copied_from(checkpoint)
    record["started_from"] = copied or record["started_from"]
    write_record(folder, record)
    _announce(position, title, record, parts.data, trainer)
    if checkpoint is not None:
        if sizes := checkpoint["gradflow"]["events"]:  # otherwise event files are those of a logger of the user's own
            rewind(folder, sizes)
        end_where_it_ended(trainer, checkpoint)
        resuming = described(record) if copied else f"resuming after epoch {checkpoint['epoch'] + 1}"
        terminal.say(f"{f'{title}:' if terminal.is_followed() else ' '} {resuming}")
    described_run = Described(record["study"], record["config"], record["seed"], identity.whole(cfg))
    further_logger.begin(loggers, described_run, None if checkpoint is None else checkpoint["gradflow"])
    if recorder is not None and (checkpoint is None or copied):
        recorder.log_trial(trial=f"{record['study']}/{record['config']}", **trial(cfg, record, scores=_scores(parts)))
    state, tested = State.FAILED, dict[str, float]()
    try:
        tested = fit_and_test(cfg, parts, folder, resume)
        record["cut_short_by"] = by_limits(cfg, trainer, parts.data)
        state = State.CUT_SHORT if record["cut_short_by"] else State.FINISHED
    except TimeIsOver:
        record["cut_short_by"] = by_time(cfg)
        state = State.CUT_SHORT
    except Diverged as error:
        state = State.DIVERGED
        if isinstance(module, ActivationModule):
            module.write_step_losses()
        log.warning("diverged: %s", error)
        record["error"] = error_entry(error)
    except Exception:
        raise
    except BaseException:
        state = State.INTERRUPTED
        raise
    finally:
        further_logger.end(loggers, state, is_over=is_over(record | {"state": state}))
        if recorder is not None:
            recorder.close(finished=state == State.FINISHED)
    events = _events(folder) if recorder is not None else {}
    record |= {"state": state, "metrics": {**final_metrics(parts), **tested}, "events": events}
    record["declared_metrics"] += _newly_logged(cfg, parts, record)


def _events(folder: Path) -> dict[str, EventsEntry]:
    """What the record says of the event files.

    Raises:
        CannotWrite: if there are none: somebody has removed them.
    """
    if not (entries := integrity.event_entries(folder)):
        raise CannotWrite(errno.ENOENT, "no event file is left", str(folder))
    return entries


def _newly_logged(cfg: DictConfig, parts: Parts, record: Record) -> list[dict[str, Any]]:
    """What a module of the user's own has logged beside what planning knew of, as `declared_metrics`."""
    known = [entry["tag"] for entry in record["declared_metrics"]]
    found = [tag for tag in record["metrics"] if tag not in known]
    if parts.logged is None:
        return []
    listed = [tag for tag in found if tag in parts.scores.latest or tags.of_last_epoch(tag) in parts.logged.tested]
    return [one.as_entry() for one in logged.declared(listed, higher=cfg.module.higher, lower=cfg.module.lower)]


def _scores(parts: Parts) -> list[str]:
    """The tags of the scores that TensorBoard's HParams page shows."""
    best = tags.best(parts.scores.monitor)
    if not isinstance(parts.module, ActivationModule):
        return [best, parts.scores.monitor]
    score = tags.test(parts.module.task.headline)
    return [tags.at_best(score), score, best, tags.train(tags.LOSS)]


def _describe(cfg: DictConfig, parts: Parts, record: Record) -> None:
    """Put what is known before the first step into the record."""
    _, data, module, trainer, *_ = parts
    device = device_name(trainer.strategy.root_device)
    device = device if trainer.world_size == 1 else f"{trainer.world_size} x {device}"
    record |= {
        "provenance": provenance(device=device, threads=torch.get_num_threads()),
        "parameters": sum(p.numel() for p in module.parameters() if p.requires_grad),
    }
    if isinstance(module, ActivationModule) and isinstance(data, ArrayDataModule):
        record |= {
            "constant_loss": constant_loss(data.task, data.training_targets),
            "majority_share": majority_share(data.task, data.training_targets),
            "sigmoid_like": facts(activation(cfg)).sigmoid_like,
            "declared_metrics": [metric.as_entry() for metric in declared(parts.monitors)],
        }


def _announce(position: str, title: str, record: Record, data: L.LightningDataModule, trainer: L.Trainer) -> None:
    """One line for what is about to run; of a sweep that is displayed, only in the log."""
    sizes = f" {'/'.join(f'{size:,}' for size in data.sizes)} samples," if isinstance(data, ArrayDataModule) else ""
    epochs = "1 epoch" if trainer.max_epochs == 1 else f"{trainer.max_epochs} epochs"
    device = trainer.strategy.root_device
    shown = f"{record['parameters']:,} parameters,{sizes} {epochs} on {device}"
    if position == ALONE or not terminal.is_followed():
        terminal.say(f"{title}: {shown}")
    log.info("%s: %s", title, shown)
