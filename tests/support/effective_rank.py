"""A monitor of one's own: the effective rank of each layer's output."""

from functools import partial

import torch

from gradflow.callbacks.monitor import Monitor, layers_of
from gradflow.runs.metrics import Metric


class EffectiveRank(Monitor):
    """exp of the entropy of the singular values' shares, of each hidden layer's output over the validation set.

    Between 1 and the number of units. Source: Roy & Vetterli 2007, EUSIPCO, 606-610.
    """

    declares = (
        Metric("effective_rank/", "effective rank", low=1, is_logarithmic=True, better="higher", taken="last epoch"),
    )

    def on_validation_start(self, trainer, pl_module):
        hidden = [layer for layer in layers_of(pl_module) if layer.hidden]
        self.gram = dict.fromkeys((layer.name for layer in hidden), 0.0)
        self.hooks = [layer.activation.register_forward_hook(partial(self.add, layer.name)) for layer in hidden]

    def add(self, name, module, inputs, output):
        rows = output.detach().double().movedim(1, -1).flatten(0, -2)  # a row per sample and position
        self.gram[name] = self.gram[name] + rows.T @ rows

    def on_validation_end(self, trainer, pl_module):
        for hook in self.hooks:
            hook.remove()
        self.record(trainer, {f"effective_rank/{name}": rank(gram) for name, gram in self.gram.items()})


class Undeclared(EffectiveRank):
    """One that forgets to say what it records."""

    declares = ()


class Misdeclared(EffectiveRank):
    """One that declares a tag where a Metric is wanted."""

    declares = ("effective_rank/",)


def rank(gram):
    singular = torch.linalg.eigvalsh(gram).clamp(min=0).sqrt()
    shares = singular / singular.sum()
    return float(torch.special.entr(shares).sum().exp())
