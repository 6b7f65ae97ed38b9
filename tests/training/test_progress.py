"""How often a run says how far it is."""

from itertools import pairwise
from types import SimpleNamespace

import pytest

from gradflow.training import progress
from gradflow.training.progress import RunProgress

BATCHES = 100


@pytest.mark.parametrize(("write_s", "every_s"), [(0.001, 0.5), (0.2, 20.0)])
def test_it_writes_twice_a_second_and_on_a_slow_disk_a_hundredth_of_the_time(monkeypatch, tmp_path, write_s, every_s):
    now, written = [0.0], []

    def write(*_: object) -> None:
        now[0] += write_s
        written.append(now[0])

    monkeypatch.setattr(progress, "write_progress", write)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now[0]))
    trainer = SimpleNamespace(is_global_zero=True, max_epochs=9, current_epoch=0, num_training_batches=BATCHES)
    callback = RunProgress(tmp_path, score="val/acc")
    callback.on_train_start(trainer, None)
    for batch in range(3 * round(every_s / 0.01)):
        now[0] += 0.01
        callback.on_train_batch_end(trainer, None, None, None, batch % BATCHES)
    gaps = [later - earlier - write_s for earlier, later in pairwise(written)]
    assert len(gaps) >= 2
    assert gaps == pytest.approx([every_s] * len(gaps), abs=0.011)
