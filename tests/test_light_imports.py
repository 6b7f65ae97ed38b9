"""The monitors need torch, Lightning, torchmetrics and TensorBoard, and no other package of gradflow's."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import gradflow

ABSENT = ("altair", "pandas", "scipy", "rich", "filelock", "hydra", "omegaconf", "vl_convert", "sklearn", "pydantic")
SCRIPT = """
import importlib.util, sys
import gradflow
assert not {"torch", "lightning"} & set(sys.modules)  # importing gradflow takes no time
assert not [name for name in ABSENT if importlib.util.find_spec(name)]
import lightning as L
import torch
from lightning.pytorch.loggers import CSVLogger
from gradflow.callbacks import GradientNorms, HealthWarnings, PreciseBatchNorm, UnitStatistics

class Lit(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.network = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
    def training_step(self, batch, batch_idx):
        return self.network(batch).mean()
    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self.network(batch).mean())
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

batches = torch.utils.data.DataLoader(torch.randn(6, 4), batch_size=2)
quiet = dict(enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False)
logger = CSVLogger(sys.argv[1])
L.Trainer(accelerator="cpu", max_epochs=1, logger=logger, callbacks=gradflow.monitors(), **quiet).fit(
    Lit(), batches, batches
)
network = Lit().network
optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
watch = gradflow.watch(network, optimizer)
network(torch.randn(2, 4)).mean().backward()
optimizer.step()
assert len(watch.results()["grad_norm/total"].steps) == 1
"""


def without_absent_packages(folder):
    """The installed packages but those that shall be absent, as links."""
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        name = entry.name.replace("-", "_").lower()
        if not name.startswith((*ABSENT, "scikit_learn", "__editable__", "gradflow")):
            (folder / entry.name).symlink_to(entry)
    return folder


def test_monitors_and_watch_work_where_only_what_they_need_is_installed(tmp_path):
    (tmp_path / "site").mkdir()
    site = without_absent_packages(tmp_path / "site")
    path = os.pathsep.join([str(site), str(Path(gradflow.__file__).parents[1])])
    (tmp_path / "light.py").write_text(f"ABSENT = {ABSENT}\n{SCRIPT}")
    command = [sys.executable, "-S", "-W", "ignore", "light.py", str(tmp_path / "logs")]
    ended = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": path}, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    header = next((tmp_path / "logs").rglob("metrics.csv")).read_text().splitlines()[0].split(",")
    assert {"grad_norm/total", "grad_rms/00_network.0", "dead_units/total", "val_loss"} <= set(header)
