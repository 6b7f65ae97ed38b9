"""Run folders of the preset mnist_sgd without a run."""

from pathlib import Path

from study_folders import write_run

EPOCHS = 15


def write_mnist_sgd(study: Path, accuracies: dict[str, list[float]], **more) -> None:
    """Finished runs: validation accuracy rises evenly from a third of the test accuracy to it.

    Args:
        accuracies: activation -> test accuracy of each seed.
        more: further arguments of `write_run`.
    """
    for activation, values in accuracies.items():
        for seed, accuracy in enumerate(values):
            shares = [(5 + 10 * epoch / (EPOCHS - 1)) / 15 for epoch in range(EPOCHS)]
            curve = {2 * (epoch + 1): accuracy * share for epoch, share in enumerate(shares)}
            curves = {"val/acc": curve, "train/acc": curve, "grad_norm/total": [1.0] * 2 * EPOCHS}
            metrics = {"test/acc": accuracy, "test/acc_at_best": accuracy, "best_epoch": EPOCHS}
            write_run(study, activation=activation, blocks=1, seed=seed, curves=curves, metrics=metrics, **more)
