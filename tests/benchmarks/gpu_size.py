"""How much a check of a GPU computes: in full, or in a miniature that a CPU goes through in half a minute."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """Shapes and lengths.

    Attributes:
        side: pixels of an image's edge; images have three channels.
        width: channels of the conv stack.
        batch: images.
        depths: blocks of the conv stacks.
        images: of the timed training set.
        held_out: images of the validation set, which is the test set too, as in `cifar10_depth`.
        checked_depth: blocks of the conv stack whose numbers are compared with float64.
        mlp_width: units of both hidden layers of the MLP, as `width` takes it.
        mlp_inputs: pixels of an edge of its images.
        mlp_images: of its training set.
        at_a_time: how many runs share the GPU.
        seeds: of the MLP at a time.
        window_s: seconds in which steps are counted where several processes run.
        product: rows and columns of the matrices in the products by which the ceiling is measured.
        copied_mib: of the copy by which the ceiling is measured.
        compiles: whether compiled networks are measured too.
        sweeps: whether whole sweeps by joblib are timed too, whose processes take long to start.
    """

    side: int
    width: int
    batch: int
    depths: tuple[int, ...]
    images: int
    held_out: int
    checked_depth: int
    mlp_width: str
    mlp_inputs: int
    mlp_images: int
    at_a_time: tuple[int, ...]
    seeds: int
    window_s: float
    product: int
    copied_mib: int
    compiles: bool
    sweeps: bool


FULL = Size(
    side=32,
    width=64,
    batch=128,
    depths=(1, 2, 4, 6, 8),
    images=50_000,
    held_out=10_000,
    checked_depth=4,
    mlp_width="[256,128]",
    mlp_inputs=28,
    mlp_images=60_000,
    at_a_time=(1, 2, 4, 8),
    seeds=16,
    window_s=3.0,
    product=8192,
    copied_mib=2048,
    compiles=True,
    sweeps=True,
)
MINIATURE = Size(
    side=8,
    width=4,
    batch=32,
    depths=(1, 2),
    images=130,
    held_out=64,
    checked_depth=2,
    mlp_width="[16,8]",
    mlp_inputs=8,
    mlp_images=256,
    at_a_time=(1, 2),
    seeds=2,
    window_s=0.3,
    product=64,
    copied_mib=1,
    compiles=False,
    sweeps=False,
)
