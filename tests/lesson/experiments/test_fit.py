"""What every training of the lesson shares: its batches, and batch normalisation at the weights that are looked at."""

from dataclasses import replace

import torch
from torch import nn

from gradflow.lesson.experiments import dead_units, fit
from gradflow.lesson.experiments.dead_units import BIAS_CAUSE, RECIPES
from gradflow.lesson.experiments.effort import QUICK


def deep_network():
    return fit.make_mlp(nn.Sigmoid, blocks=2, width=16, seed=0, scheme="torch", norm="batch")


def look_at(network, *, epochs, seed, what):
    seen = []
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    fit.fit(network, optimizer, epochs=epochs, seed=seed, after_epoch=lambda _: seen.append(what()))
    return seen


def test_the_batches_behind_the_statistics_are_whole_drawn_from_the_training_digits_and_fixed_for_a_seed():
    batches, again, others = (fit.statistics_batches(seed) for seed in (3, 3, 4))
    assert [len(x) for x in batches] == [fit.BATCH] * fit.STATISTICS_BATCHES
    assert torch.equal(torch.cat(batches), torch.cat(again))
    assert not torch.equal(torch.cat(batches), torch.cat(others))
    training = {tuple(pixels) for pixels in fit.digit_data().x.tolist()}
    assert {tuple(pixels) for pixels in torch.cat(batches).tolist()} <= training


def test_a_network_is_looked_at_with_statistics_of_the_weights_it_has_then():
    network = deep_network()
    first = network.layers[0].affine
    normalisation = next(module for module in network.modules() if isinstance(module, nn.BatchNorm1d))

    def means():
        with torch.no_grad():
            z = torch.stack([first(x).double().mean(dim=0) for x in fit.statistics_batches(7)])
        return normalisation.running_mean.clone(), z.mean(dim=0)

    for used, by_hand in look_at(network, epochs=2, seed=7, what=means):
        torch.testing.assert_close(used.double(), by_hand, rtol=1e-4, atol=1e-5)


def test_looking_changes_neither_the_running_averages_nor_the_weights():
    looked_at, left_alone = deep_network(), deep_network()
    look_at(looked_at, epochs=2, seed=1, what=lambda: fit.accuracy(looked_at))
    optimizer = torch.optim.Adam(left_alone.parameters(), lr=0.01)
    data = fit.digit_data()
    for epoch in range(2):
        order = torch.from_numpy(fit.numpy_generator(1, fit.Stream.ORDER, epoch).permutation(len(data.x)))
        for rows in order.split(fit.BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(left_alone(data.x[rows]), data.y[rows]).backward()
            optimizer.step()
    for name, value in left_alone.state_dict().items():
        assert torch.equal(value, looked_at.state_dict()[name]), name


def test_normalised_units_with_a_bad_bias_are_not_dead_before_training():
    """With running averages of (0, 1), which no data have, 71.5 % of them looked dead."""
    effort = replace(QUICK, seeds=3, epochs=1)
    assert dead_units.average(RECIPES[BIAS_CAUSE]["BatchNorm"], effort, 0).dead[0] < 0.01
