"""Signs of gradients, counted and derived by hand."""

import pytest
import torch

from gradflow.lesson.experiments import fit, zero_centred


def test_the_commoner_sign():
    gradients = torch.tensor([[1.0, 2.0, 3.0, 4.0], [-1.0, 1.0, -1.0, -1.0], [0.0, 0.0, 1.0, -1.0]])
    assert zero_centred.shared_sign(gradients).tolist() == [1.0, 0.75, 0.25]


def test_what_chance_gives_the_commoner_sign():
    assert zero_centred.chance_share(1) == 1.0
    assert zero_centred.chance_share(2) == pytest.approx(0.75)  # both alike half of the time
    assert zero_centred.chance_share(4) == pytest.approx((2 * 1 + 8 * 0.75 + 6 * 0.5) / 16)


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_gradients_of_a_sample_have_the_signs_of_the_inputs_or_their_opposites(name):
    signs = zero_centred.sign_structure(name, seed=3)
    network = fit.make_mlp(zero_centred.ACTIVATIONS[name], blocks=2, width=zero_centred.WIDTH, seed=3)
    with torch.no_grad():
        inputs = network.blocks[0](fit.digit_data().x[: zero_centred.SAMPLES]).sign().numpy().astype(int)
    for row, expected in zip(signs.signs, inputs, strict=True):
        assert (row == expected).all() or (row == -expected).all()
    if name == "sigmoid":
        assert signs.shared.tolist() == [1.0] * zero_centred.SAMPLES
    else:
        assert 0.5 <= signs.shared.mean() < 0.7
