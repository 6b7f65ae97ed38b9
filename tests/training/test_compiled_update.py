"""A compiled update is the optimizer's own, but for rounding."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim import SGD, Adam, AdamW, RMSprop

from gradflow.measure.gradients import gradient_row
from gradflow.training.compiled_update import compiled_update

STEPS = 6
CHANGED = 4  # the step before which a schedule changes the rate

OPTIMIZERS = {
    "Adam": partial(Adam, lr=0.01),
    "Adam that decays": partial(Adam, lr=0.01, weight_decay=0.1, betas=(0.8, 0.95), eps=1e-4),
    "AdamW": partial(AdamW, lr=0.01, weight_decay=0.2),
    "SGD": partial(SGD, lr=0.1),
    "SGD with momentum": partial(SGD, lr=0.1, momentum=0.9, dampening=0.3, weight_decay=0.05),
    "Nesterov": partial(SGD, lr=0.1, momentum=0.9, nesterov=True),
    "RMSprop": partial(RMSprop, lr=0.01, alpha=0.9, weight_decay=0.1),
}


def network():
    torch.manual_seed(0)
    layers = [nn.Linear(5, 7), nn.BatchNorm1d(7), nn.PReLU(), nn.Dropout(0.3), nn.Linear(7, 3)]
    return nn.Sequential(*layers).double()


def batches():
    torch.manual_seed(1)
    return [(torch.randn(9, 5, dtype=torch.float64), torch.randint(3, (9,))) for _ in range(STEPS)]


def groups(net, make):
    """Two groups of parameters, the second of which does not decay."""
    spared = [net[2].weight]
    others = [one for one in net.parameters() if one is not spared[0]]
    return make([{"params": others}, {"params": spared, "weight_decay": 0.0}])


def eager(net, optimizer, batch):
    x, y = batch
    outputs = net(x)
    loss = F.cross_entropy(outputs, y)
    optimizer.zero_grad()
    loss.backward()
    row = gradient_row(list(net.parameters()), abs_sums=True)
    optimizer.step()
    return loss.detach(), outputs.detach(), row


@pytest.mark.slow
@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_compiled_update_is_that_of_the_optimizer(make):
    torch.compiler.reset()
    plain, other = network(), network()
    optimizers = [groups(net, make) for net in (plain, other)]
    found = [[], []]
    for net, optimizer, results in zip((plain, other), optimizers, found, strict=True):
        update = None if net is plain else compiled_update(net, F.cross_entropy, [optimizer], abs_sums=True)
        for step, batch in enumerate(batches()):
            torch.manual_seed(step)
            if step == CHANGED:
                for group in optimizer.param_groups:
                    group["lr"] /= 3
            if update is None or not step:
                results.append(eager(net, optimizer, batch))
            else:
                assert update.takes(batch)
                results.append(update(batch))
        if update is not None:
            update.settle()
    torch.testing.assert_close(found[1], [tuple(one) for one in found[0]], rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(other.state_dict(), plain.state_dict(), rtol=1e-9, atol=1e-12)
    states = [optimizer.state_dict()["state"] for optimizer in optimizers]
    torch.testing.assert_close(states[1], states[0], rtol=1e-9, atol=1e-12)


@pytest.mark.slow
def test_a_parameter_that_the_network_does_not_use_stays_as_it_is():
    torch.compiler.reset()
    nets = [nn.Linear(5, 3).double() for _ in range(2)]
    nets[1].load_state_dict(nets[0].state_dict())
    for net in nets:
        net.unused = nn.Parameter(torch.ones(2))
    plain, other = [AdamW([net.unused, net.weight, net.bias], lr=0.01, weight_decay=0.2) for net in nets]
    first, second = batches()[:2]
    for net, optimizer in zip(nets, (plain, other), strict=True):
        eager(net, optimizer, first)
    eager(nets[0], plain, second)
    norms, _ = compiled_update(nets[1], F.cross_entropy, [other], abs_sums=True)(second).row
    assert nets[1].unused.tolist() == [1.0, 1.0]
    assert norms.tolist()[-1] == 0
    torch.testing.assert_close(nets[1].state_dict(), nets[0].state_dict(), rtol=1e-9, atol=1e-12)


@pytest.mark.slow
def test_norms_of_a_compiled_update_do_not_underflow():
    torch.compiler.reset()
    net = nn.Linear(4, 2, bias=False)
    update = compiled_update(
        net, lambda outputs, y: 1e-30 * outputs.sum(), [SGD(net.parameters(), lr=0.1)], abs_sums=True
    )
    norms, abs_sums = update((torch.ones(1, 4), torch.zeros(1))).row
    assert norms.tolist() == pytest.approx([8**0.5 * 1e-30], rel=1e-6)  # eight entries of 1e-30
    assert abs_sums.tolist() == pytest.approx([8e-30], rel=1e-6)


@pytest.mark.parametrize(
    ("net", "make"),
    [
        (nn.Linear(2, 2), partial(Adam, amsgrad=True)),
        (nn.Linear(2, 2), partial(RMSprop, centered=True)),
        (nn.Linear(2, 2), partial(SGD, lr=0.1, weight_decay=0.1)),
        (nn.Linear(2, 2), torch.optim.Adagrad),
        (nn.Conv2d(1, 1, 3), Adam),
    ],
    ids=["amsgrad", "centred RMSprop", "decay that no moment limits", "another optimizer", "a convolution"],
)
def test_what_has_no_rule_or_gains_nothing_is_not_compiled_as_a_whole(net, make):
    assert compiled_update(net, F.cross_entropy, [make(net.parameters())], abs_sums=False) is None


def test_batches_of_another_size_are_left_to_the_optimizer():
    net = nn.Linear(2, 2)
    update = compiled_update(net, F.cross_entropy, [SGD(net.parameters(), lr=0.1)], abs_sums=False)
    sizes = [32, 32, 7, 32]
    assert [update.takes((torch.ones(n, 2), torch.zeros(n))) for n in sizes] == [True, True, False, True]
