"""The textbook run in Keras: one hidden layer on MNIST under plain SGD, `fit` with a validation split.

    python tests/benchmarks/keras_mnist_sgd.py --data-dir ~/.cache/gradflow --epochs 3

Needs Keras with a backend and NumPy, but not gradflow. Each epoch prints one line that ends in its seconds.
"""

import argparse
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

threads = int(os.environ.get("OMP_NUM_THREADS", 0))
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(threads))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import keras  # noqa: E402  # reads the variables above


class Seconds(keras.callbacks.Callback):
    """Prints the seconds of each epoch, validation included."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        scores = ", ".join(f"{name} {value:.4f}" for name, value in (logs or {}).items())
        print(f"epoch {epoch + 1}: {scores}, seconds {time.perf_counter() - self.start:.5f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, default=Path("data"), help="folder with MNIST in torchvision's layout")
    parser.add_argument("--epochs", type=int, default=3)
    args = parser.parse_args()
    raw = args.data_dir / "MNIST" / "raw"
    pixels = np.frombuffer((raw / "train-images-idx3-ubyte").read_bytes(), np.uint8, offset=16)
    labels = np.frombuffer((raw / "train-labels-idx1-ubyte").read_bytes(), np.uint8, offset=8)

    model = keras.Sequential(
        [
            keras.layers.Input((784,)),
            keras.layers.Dense(128, activation="sigmoid"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    optimizer = keras.optimizers.SGD(learning_rate=0.01)
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(
        pixels.reshape(-1, 784).astype("float32") / 255,
        labels,
        batch_size=32,
        epochs=args.epochs,
        validation_split=0.1,
        verbose=0,
        callbacks=[Seconds()],
    )


if __name__ == "__main__":
    main()
