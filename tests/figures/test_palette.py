"""Colours that stay the same from study to study, and that every reader can tell apart on both backgrounds."""

import itertools

import numpy as np
import pytest

from gradflow.figures import palette

WHITE, DARK = "#ffffff", "#14171b"  # the page's backgrounds
LEAST_DIFFERENCE, LEAST_CONTRAST = 12.0, 3.0
# Colour vision without red or green cones, applied to linear sRGB: Machado et al. 2009, severity 1.
VISIONS = {
    "normal": np.eye(3),
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
}
XYZ_OF_SRGB = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
D65 = [0.95047, 1.0, 1.08883]


def linear(colour):
    encoded = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def contrast(one, two):
    """Ratio of luminances, WCAG 2.2."""
    low, high = sorted(linear(colour) @ [0.2126, 0.7152, 0.0722] + 0.05 for colour in (one, two))
    return high / low


def lab(colour, vision):
    seen = np.clip(np.array(VISIONS[vision]) @ linear(colour), 0, 1)
    t = np.array(XYZ_OF_SRGB) @ seen / D65
    x, y, z = np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def ciede2000(one, two):
    """Difference of two colours in CIELAB, Sharma, Wu & Dalal 2005."""
    (l1, a1, b1), (l2, a2, b2) = one, two
    chroma = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    stretch = 1.5 - 0.5 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    c1, c2 = np.hypot(a1 * stretch, b1), np.hypot(a2 * stretch, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a * stretch)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    hue = (h1 + turn / 2) % 360 if c1 * c2 else h1 + h2
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    cosines = [np.cos(np.radians(k * hue + shift)) for k, shift in ((1, -30), (2, 0), (3, 6), (4, -63))]
    by_hue = 1 + np.dot([-0.17, 0.24, 0.32, -0.20], cosines)
    in_l = (l2 - l1) / (1 + 0.015 * (lightness - 50) ** 2 / np.sqrt(20 + (lightness - 50) ** 2))
    in_c = (c2 - c1) / (1 + 0.045 * chroma)
    in_h = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2)) / (1 + 0.015 * chroma * by_hue)
    blue = 60 * np.exp(-(((hue - 275) / 25) ** 2))
    rotation = -2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7)) * np.sin(np.radians(blue))
    return np.sqrt(in_l**2 + in_c**2 + in_h**2 + rotation * in_c * in_h)


@pytest.mark.parametrize(
    ("one", "two", "difference"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1.0, 2.0), (50, 0, 0), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((35.0831, -44.1164, 3.7933), (35.0232, -40.0716, 1.5901), 1.8645),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_measure_of_difference_is_the_published_one(one, two, difference):
    assert ciede2000(one, two) == pytest.approx(difference, abs=5e-5)


def smallest_difference(colours):
    return min(
        ciede2000(lab(one, vision), lab(two, vision))
        for vision in VISIONS
        for one, two in itertools.combinations(colours, 2)
    )


def test_ten_activations_can_be_told_apart_by_every_reader():
    colours = palette.activation_colours([f"act{i}" for i in range(10)])
    assert smallest_difference(colours.values()) >= LEAST_DIFFERENCE


@pytest.mark.parametrize("number", range(2, 9))
def test_up_to_eight_depths_can_be_told_apart_by_every_reader(number):
    assert smallest_difference(palette.depth_colours([str(i) for i in range(number)]).values()) >= LEAST_DIFFERENCE


def test_every_colour_stands_out_from_both_backgrounds():
    activations, depths = ([str(i) for i in range(n)] for n in (10, 25))
    for colour in (*palette.activation_colours(activations).values(), *palette.depth_colours(depths).values()):
        assert min(contrast(colour, WHITE), contrast(colour, DARK)) >= LEAST_CONTRAST, colour


def test_activations_beyond_the_colours_differ_by_shape_or_dashes():
    names = [f"act{i}" for i in range(40)]
    looks = palette.activation_colours(names), palette.activation_shapes(names), palette.activation_dashes(names)
    assert len({tuple(look[name] for look in looks) for name in names}) == 40


def test_neighbouring_depths_differ_in_shape_and_dashes():
    depths = [str(i) for i in range(12)]
    for look in (palette.depth_shapes(depths), palette.depth_dashes(depths)):
        assert all(look[one] != look[two] for one, two in itertools.pairwise(depths))


def test_an_activation_keeps_its_colour_from_study_to_study():
    one = palette.activation_colours(["relu", "sigmoid", "swoosh"])
    two = palette.activation_colours(["another", "sigmoid"])
    assert one["sigmoid"] == two["sigmoid"]
    assert len(set(one.values())) == 3
    assert len(set(palette.depth_colours([str(depth) for depth in range(20)]).values())) == 20
