"""Lightning's own callbacks and profilers: which of them go with a run, which do not and what to use instead.

Those that are not listed here, such as your own, go with every run.
"""

from lightning.pytorch import callbacks as lightning
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.profilers import Profiler, PyTorchProfiler, XLAProfiler

# Each was tried: it does what Lightning documents, and an interrupted run ends as one that was not.
WORK = (
    lightning.DeviceStatsMonitor,
    lightning.EarlyStopping,
    lightning.EMAWeightAveraging,
    lightning.GradientAccumulationScheduler,
    lightning.LambdaCallback,
    lightning.LearningRateMonitor,
    lightning.RichModelSummary,
    lightning.ThroughputMonitor,
    lightning.WeightAveraging,
)
# Why a class, or a subclass of it, does not go with a run, and the remedy; the first that fits speaks.
REFUSED: dict[type, str] = {
    lightning.BatchSizeFinder: "changes the batch size that the configuration names; set data.batch_size",
    lightning.LearningRateFinder: (
        "changes the learning rate that the configuration names; sweep it, e.g. -m optimizer.lr=0.0001,0.001,0.01"
    ),
    lightning.StochasticWeightAveraging: (
        "averages weights that are never validated, in an epoch after the last; use "
        "lightning.pytorch.callbacks.EMAWeightAveraging, which validates and keeps the averages"
    ),
    lightning.OnExceptionCheckpoint: (
        "a run keeps the checkpoint of its last whole epoch, from which the same command goes on; leave it out"
    ),
    lightning.Checkpoint: "a run keeps checkpoints/best.ckpt and checkpoints/last.ckpt itself; leave it out",
    lightning.ProgressBar: "a run shows its own progress, on terminals; leave it out",
    lightning.Timer: (
        "a time limit of the trainer is recorded as such and the run goes on later; use "
        "+trainer.max_time=00:08:00:00 (days, hours, minutes, seconds)"
    ),
    lightning.BaseFinetuning: "freezes parts of a trained network, and a run begins with a new one; leave it out",
    lightning.ModelPruning: "takes the weights away whose gradients are measured; leave it out",
    lightning.SpikeDetection: (
        "skips batches, so that seeds no longer see the same ones; a loss that is not finite ends a run anyway; leave "
        "it out"
    ),
    lightning.ModelSummary: (
        "writes to Lightning's own log, which is not shown; use lightning.pytorch.callbacks.RichModelSummary"
    ),
    PyTorchProfiler: "fails where a pass is short (Lightning 2.6 with torch 2.15); use simple or advanced",
    XLAProfiler: "is for TPUs; use simple or advanced",
    lightning.BasePredictionWriter: "has no effect, as a run is trained and tested and predicts nothing; leave it out",
}


def refusal(kind: type[Callback] | type[Profiler]) -> str | None:
    """Why callbacks or profilers of this class do not go with a run, and the remedy; None if they do."""
    if issubclass(kind, lightning.RichModelSummary):  # a ModelSummary that is shown
        return None
    return next((reason for refused, reason in REFUSED.items() if issubclass(kind, refused)), None)
