"""The reference: `experiment=mnist_adam` in JAX, an epoch as one compiled scan, several seeds as one batch by `vmap`.

    python tests/benchmarks/jax_mnist_adam.py --data-dir ~/.cache/gradflow --epochs 5 --seeds 10

Needs JAX (`pip install jax`), but not gradflow. It does what the experiment does: a fresh order every epoch, PyTorch's
initial weights, Adam, of every step the loss, the gradient norm of every tensor and the mean absolute gradient, which
leave the device once an epoch, and a pass over the validation set. Compilation takes place before the first epoch and
has a line of its own; each epoch prints one line that ends in its seconds, divided by the number of seeds.
"""

import argparse
import itertools
import os
import time
from pathlib import Path

threads = int(os.environ.get("OMP_NUM_THREADS", 0))
if threads and hasattr(os, "sched_setaffinity"):  # XLA has as many threads as cores that it may use
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from jax import lax  # noqa: E402

WIDTHS = (784, 256, 128, 10)
BATCH, EVAL_BATCH = 64, 1000  # samples
RATE, DECAY_1, DECAY_2, EPSILON = 1e-3, 0.9, 0.999, 1e-8  # Adam's


def initial(key):
    """Weights and biases in turn, as PyTorch draws them for nn.Linear, Adam's two averages, and the updates so far."""
    parameters = []
    for inputs, outputs in itertools.pairwise(WIDTHS):
        key, weight, bias = jax.random.split(key, 3)
        limit = inputs**-0.5
        parameters.append(jax.random.uniform(weight, (inputs, outputs), minval=-limit, maxval=limit))
        parameters.append(jax.random.uniform(bias, (outputs,), minval=-limit, maxval=limit))
    zeros = [jnp.zeros_like(one) for one in parameters]
    return parameters, zeros, zeros, jnp.float32(0)


def logits(parameters, pixels):
    """Of uint8 pixels, which become [-1, 1]."""
    hidden = pixels.astype(jnp.float32) * (2 / 255) - 1
    layers = list(zip(parameters[::2], parameters[1::2], strict=True))
    for weight, bias in layers[:-1]:
        hidden = jax.nn.relu(hidden @ weight + bias)
    weight, bias = layers[-1]
    return hidden @ weight + bias


def cross_entropy(outputs, y):
    """Of each sample, in nats."""
    return -jnp.take_along_axis(jax.nn.log_softmax(outputs), y[:, None], axis=1)[:, 0]


def update(state, index, x, y):
    """One step of Adam; what is kept of it: loss, norm of each tensor's gradient, mean absolute gradient."""
    parameters, first, second, count = state
    loss, gradients = jax.value_and_grad(lambda p: cross_entropy(logits(p, x[index]), y[index]).mean())(parameters)
    norms = jnp.stack([jnp.linalg.norm(one) for one in gradients])
    abs_mean = jnp.stack([jnp.abs(one).mean() for one in gradients]).mean()
    count += 1
    first = [DECAY_1 * m + (1 - DECAY_1) * g for m, g in zip(first, gradients, strict=True)]
    second = [DECAY_2 * v + (1 - DECAY_2) * g * g for v, g in zip(second, gradients, strict=True)]
    bias_1, bias_2 = 1 - DECAY_1**count, 1 - DECAY_2**count
    parameters = [
        p - RATE * (m / bias_1) / (jnp.sqrt(v / bias_2) + EPSILON)
        for p, m, v in zip(parameters, first, second, strict=True)
    ]
    return (parameters, first, second, count), (loss, norms, abs_mean)


def epoch(state, order, x, y, val_x, val_y):
    """All batches in this order, the last one short, then the validation set."""
    full = len(order) // BATCH * BATCH
    state, kept = lax.scan(lambda s, index: update(s, index, x, y), state, order[:full].reshape(-1, BATCH))
    if full < len(order):
        state, last = update(state, order[full:], x, y)
        kept = [jnp.concatenate([many, one[None]]) for many, one in zip(kept, last, strict=True)]

    def evaluated(sums, batch):
        outputs = logits(state[0], batch[0])
        loss, correct = cross_entropy(outputs, batch[1]).sum(), (outputs.argmax(1) == batch[1]).sum()
        return (sums[0] + loss, sums[1] + correct), None

    batches = val_x.reshape(-1, EVAL_BATCH, val_x.shape[-1]), val_y.reshape(-1, EVAL_BATCH)
    (loss, correct), _ = lax.scan(evaluated, (jnp.float32(0), jnp.int32(0)), batches)
    return state, kept, (loss / len(val_y), correct / len(val_y))


def mnist(data_dir: Path, part: str):
    """Pixels, uint8 of shape (samples, 784), and labels, int32."""
    raw = data_dir / "MNIST" / "raw"
    pixels = np.frombuffer((raw / f"{part}-images-idx3-ubyte").read_bytes(), np.uint8, offset=16)
    labels = np.frombuffer((raw / f"{part}-labels-idx1-ubyte").read_bytes(), np.uint8, offset=8)
    return jnp.asarray(pixels.reshape(-1, WIDTHS[0])), jnp.asarray(labels, jnp.int32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, default=Path("data"), help="folder with MNIST in torchvision's layout")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=1)
    args = parser.parse_args()
    data = (*mnist(args.data_dir, "train"), *mnist(args.data_dir, "t10k"))
    samples = len(data[1])
    generator = np.random.default_rng(0)
    states = jax.vmap(initial)(jax.random.split(jax.random.key(0), args.seeds))
    orders = np.stack([np.arange(samples)] * args.seeds).astype(np.int32)
    several = jax.vmap(epoch, in_axes=(0, 0, None, None, None, None))
    if args.seeds == 1:  # without an axis of size one, which costs XLA's CPU code a little
        states, several = jax.tree.map(lambda one: one[0], states), epoch
    start = time.perf_counter()
    compiled = jax.jit(several).lower(states, orders.squeeze(), *data).compile()
    print(f"compilation: {time.perf_counter() - start:.5f}", flush=True)
    for number in range(1, args.epochs + 1):
        start = time.perf_counter()
        orders = generator.permuted(orders, axis=1)
        states, kept, scores = compiled(states, orders.squeeze(), *data)
        step_losses, norms, abs_means = (np.asarray(one) for one in kept)
        assert np.isfinite(norms).all()
        assert np.isfinite(abs_means).all()
        val_loss, accuracy = (float(one.mean()) for one in scores)
        seconds = (time.perf_counter() - start) / args.seeds
        described = f"loss {step_losses.mean():.4f}, validation loss {val_loss:.4f}, accuracy {accuracy:.4f}"
        print(f"epoch {number} of {args.seeds} seeds: {described}, seconds {seconds:.5f}", flush=True)


if __name__ == "__main__":
    main()
