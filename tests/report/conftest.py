"""Studies to draw, without a run."""

import pytest
from forged_runs import typical, write_run

from gradflow.figures.marks import legend_of
from gradflow.report.frames import study_frames
from gradflow.study.records import study_runs


@pytest.fixture
def grid(tmp_path):
    """`grid(activations, depths, seeds)`: frames, records and legend of a study."""

    def make(activations, depths, seeds=1):
        for activation in activations:
            for blocks in depths:
                for seed in range(seeds):
                    run = typical(blocks=blocks, accuracy=0.5 + 0.1 * seed)
                    write_run(tmp_path, activation=activation, seed=seed, **run)
        records = study_runs(tmp_path)
        frames = study_frames(tmp_path, records)
        return frames, records, legend_of(frames.final)

    return make
