"""What every key may be: its type, its range, its words. One class per group, one line per key.

A key of an option in `conf/` is checked by its line here, whichever of the package's, torch's or Lightning's classes it
goes to. Keys without a line, and arguments of other people's classes, are checked by the annotations of the class: see
`gradflow.sweep.checks.arguments`. A number is never NaN or infinite.

`ge`, `gt`, `le` and `lt` are limits; `le` is where the machine would suffer, not where sense ends. `examples` is what
the message proposes, `title` its words if the type alone does not say enough.
"""

from typing import Annotated, Any, Literal, Required, TypedDict, get_args, get_origin, get_type_hints

from pydantic import Field

from gradflow.data.arrays import Task
from gradflow.data.own_arrays import Layout
from gradflow.data.split import Validation
from gradflow.models.blocks import Norm

MOST = 1_000_000_000  # of anything that is counted: far above any study, far below where 64 bits overflow

Name = Annotated[str, Field(pattern=r"\S", max_length=80, title="a name")]  # several make up a folder's name
Path = Annotated[str, Field(pattern=r"\S", title="a path")]
Count = Annotated[int, Field(ge=1, le=MOST)]
Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]
AtLeast0 = Annotated[float, Field(ge=0)]
From0Below1 = Annotated[float, Field(ge=0, lt=1)]
Threshold = Annotated[float, Field(ge=0, examples=[0.001])]
Width = Annotated[int, Field(ge=1, le=2**20)]  # together with blocks, see configuration.check_memory
Widths = Annotated[
    Width | Annotated[list[Width], Field(min_length=1)],
    Field(title="a whole number, or a list with one per block, of at least 1", examples=[2]),
]
Size = Annotated[
    Annotated[float, Field(gt=0, lt=1)] | Count,
    Field(title="a fraction between 0 and 1 or a number of samples, e.g. 0.1 or 300"),
]
Part = Annotated[
    Annotated[float, Field(gt=0, le=1)] | Count,
    Field(title="a number of batches of at least 1, or a fraction up to 1.0"),
]
Side = Annotated[int, Field(ge=1, le=10_000)]  # of an image, in pixels
ImageSize = Annotated[
    Side | Annotated[list[Side], Field(min_length=2, max_length=2)],
    Field(title="a number of pixels of at least 1, or [height,width]", examples=[64]),
]
Device = Annotated[int, Field(ge=0, le=63)]
# Each device is a process, and a machine has no more.
Devices = Annotated[
    Annotated[int, Field(ge=1, le=64)] | Annotated[list[Device], Field(min_length=1, max_length=64)],
    Field(title="a number of devices, at most 64, e.g. trainer.devices=1, or trainer=ddp trainer.devices=2"),
]
Duration = Annotated[float, Field(gt=0, le=1_000_000, examples=[5])]
MaxTime = Annotated[
    Annotated[str, Field(pattern=r"^\d{2}:\d{2}:\d{2}:\d{2}$")]
    | dict[Literal["weeks", "days", "hours", "minutes", "seconds"], Annotated[int, Field(ge=0, le=MOST)]],
    Field(title="days:hours:minutes:seconds", examples=["'00:12:00:00'"]),
]


class Root(TypedDict):
    """The plain keys of `conf/train.yaml`."""

    blocks: Annotated[int, Field(ge=1, le=10_000)] | None  # building more takes minutes
    width: Widths | None
    seed: Seed
    resample_split: bool
    output: Name | None  # its words depend on the data: measure.scores
    precision: str | int  # its words depend on the device: checks.training
    batch_norm: Literal["recomputed", "running"]
    batch_norm_samples: Annotated[Count, Field(examples=[512])]
    study: Annotated[str, Field(pattern=r"\S", max_length=200, title="a name", examples=["digits_conv"])]
    headline: str | None  # its words depend on the callbacks: checks.objects
    runs_per_job: Count
    threads: Annotated[int, Field(ge=1, le=1024)] | None  # torch crashes where there is no memory for their stacks
    steps_per_execution: Annotated[Count, Field(examples=[16])]
    compile: bool
    flush_denormal: bool
    output_dir: Annotated[Path, Field(examples=["outputs"])]
    rerun: bool
    resume: Path | None
    trust: bool
    data_dir: Path


class Activation(TypedDict, total=False):
    name: Name | None
    inplace: bool
    num_parameters: Width
    pieces: Annotated[int, Field(ge=1, le=1000)]


class Model(TypedDict, total=False):
    name: Name
    blocks: int | None  # the knobs themselves, checked as such
    width: Widths | None
    norm: Norm
    kernel_size: Annotated[int, Field(ge=1, le=511, examples=[3])]  # no image of a study is wider
    bias: bool
    dropout: Annotated[float, Field(ge=0, lt=1, examples=[0.1])]
    residual: bool


class Init(TypedDict, total=False):
    name: Name


class Module(TypedDict, total=False):
    """Of a module of the user's own; its arguments are checked by its annotations."""

    name: Name | None
    monitor: Name  # its words depend on what the module logs: checks.own_module
    mode: Literal["min", "max"] | None
    higher: list[Name]
    lower: list[Name]


class OwnData(TypedDict, total=False):
    """Of a LightningDataModule of the user's own."""

    name: Name | None


class Data(TypedDict, total=False):
    name: Name
    batch_size: Required[Annotated[Count, Field(examples=[32])]]
    eval_batch_size: Annotated[Count, Field(examples=[1000])]
    validation: Validation | None
    validation_size: Size | None
    test_size: Size | None
    split_seed: Seed
    pixel_range: (
        Annotated[list[float], Field(min_length=2, max_length=2, title="[low,high]", examples=["[-1,1]"])] | None
    )
    standardize: bool | None
    data_dir: Path
    samples: Annotated[int, Field(ge=10, le=10_000_000, examples=[1000])]  # points in the plane, 2 GB of memory
    noise: Annotated[float, Field(ge=0, examples=[0.1])]
    factor: Annotated[float, Field(ge=0, lt=1, examples=[0.5])]
    sample_seed: Seed
    path: Path | None
    task: Task | None
    layout: Layout | None
    dataset: Annotated[str, Field(pattern=r"\S", title="a data set of torchvision", examples=["SVHN"])]
    split: Name | None  # its words depend on the data set: data.torchvision_sets
    size: ImageSize | None
    channels: Literal[1, 3, 4] | None


class Optimizer(TypedDict, total=False):
    name: Name
    lr: Required[Annotated[float, Field(ge=0, examples=[0.001])]]
    betas: Annotated[
        tuple[From0Below1, From0Below1], Field(title="two numbers from 0 to below 1", examples=["[0.9,0.999]"])
    ]
    eps: Annotated[float, Field(ge=0, examples=[1e-8])]
    alpha: Annotated[float, Field(ge=0, le=1, examples=[0.99])]
    momentum: Annotated[float, Field(ge=0, examples=[0.9])]
    weight_decay: Annotated[float, Field(ge=0, examples=[0.0001])]
    fused: bool | None


class Schedule(TypedDict, total=False):
    name: Name
    step_size: Count
    gamma: Annotated[float, Field(gt=0, examples=[0.1])]
    T_max: Count
    eta_min: Annotated[float, Field(ge=0, examples=[0.0001])]
    interval: Literal["epoch", "step"]
    monitor: Name  # its words depend on the data: checks.callbacks
    mode: Literal["min", "max"]
    factor: Annotated[float, Field(gt=0, lt=1, examples=[0.1])]
    patience: Annotated[int, Field(ge=0, le=MOST, examples=[2])]
    threshold: AtLeast0
    min_lr: AtLeast0
    warmup: Annotated[
        From0Below1 | Count, Field(title="a fraction of the updates from 0 to below 1, or a number of them")
    ]
    epochs: Count
    max_lr: Annotated[float, Field(gt=0, examples=[0.01])]
    pct_start: Annotated[float, Field(ge=0, le=1, examples=[0.3])]
    anneal_strategy: Literal["cos", "linear"]
    div_factor: Annotated[float, Field(gt=0, examples=[25])]
    final_div_factor: Annotated[float, Field(gt=0, examples=[10000])]
    cycle_momentum: bool


class Trainer(TypedDict, total=False):
    accelerator: Required[Name]  # its words depend on the machine, so Lightning checks them
    devices: Required[Devices]
    max_epochs: Required[Count]
    gradient_clip_val: Required[Annotated[float, Field(ge=0, examples=[1.0])] | None]
    gradient_clip_algorithm: Literal["norm", "value"] | None
    accumulate_grad_batches: Required[Count]
    min_epochs: Count | None
    max_steps: Annotated[Literal[-1] | Count, Field(title="a number of updates of at least 1, or -1 for no limit")]
    min_steps: Count | None
    max_time: MaxTime | None
    limit_train_batches: Part | None
    limit_val_batches: Part | None
    limit_test_batches: Part | None
    fast_dev_run: bool | Count
    sync_batchnorm: bool


class Callback(TypedDict, total=False):
    every_n_steps: Count
    vanishing_ratio: Threshold
    exploding_norm: Threshold
    dead_fraction: Annotated[float, Field(ge=0, le=1, examples=[0.2])]
    min_delta: AtLeast0
    patience: Annotated[int, Field(ge=0, le=MOST, examples=[3])]
    mode: Literal["min", "max"]
    monitor: Name


class Logger(TypedDict, total=False):
    """Of the loggers on top of the record."""

    experiment: Annotated[str, Field(pattern=r"\S", max_length=200, title="a name", examples=["digits_conv"])]
    project: Annotated[str, Field(pattern=r"\S", max_length=200, title="a name", examples=["digits_conv"])]
    entity: Name | None
    tracking_uri: Path | None


class Timeout(TypedDict, total=False):
    """Of trainer=ddp; datetime.timedelta has no annotations."""

    days: Duration
    hours: Duration
    minutes: Duration
    seconds: Duration


class NoOption(TypedDict):
    """Of classes whose annotations say it all."""


GROUPS: dict[str, type] = {
    "activation": Activation,
    "model": Model,
    "init": Init,
    "data": Data,
    "optimizer": Optimizer,
    "trainer": Trainer,
    "schedule": Schedule,  # takes over trainer.max_epochs
}
NESTED: dict[str, type] = {"trainer.strategy.timeout": Timeout}
# Arguments that gradflow sets itself, and what to use instead.
_LEAVE_OUT = "leave it out"
OWN_ARGUMENTS: dict[str, dict[str, str]] = {
    "model": dict.fromkeys(("input_shape", "num_outputs", "activation"), _LEAVE_OUT),
    "data": {"seed": "use the knob seed", "resample_split": "use the knob resample_split", "chunk_size": _LEAVE_OUT},
    "optimizer": {"params": _LEAVE_OUT},
    "schedule": {"optimizer": _LEAVE_OUT},
    "logger": {"folder": "use output_dir"},
    "trainer": {
        "callbacks": "use the group callbacks",
        "logger": "use logger=csv, wandb or mlflow, or logger=none",
        "default_root_dir": "use output_dir",
        "precision": "use the knob precision, e.g. precision=bf16",
        **dict.fromkeys(("plugins", "num_sanity_val_steps", "enable_progress_bar", "enable_model_summary"), _LEAVE_OUT),
        **dict.fromkeys(("log_every_n_steps", "use_distributed_sampler"), _LEAVE_OUT),
    },
}


def types(schema: type) -> dict[str, Any]:
    """Key -> type of a group's class."""
    hints = get_type_hints(schema, include_extras=True)
    return {key: get_args(hint)[0] if get_origin(hint) is Required else hint for key, hint in hints.items()}
