"""Small images in folders, as a user would keep them."""

import numpy as np
from PIL import Image


def image_folder(root, *, parts=("train", "test"), classes=("ant", "bee"), count=10, shape=(8, 8, 3)):
    """Random PNG images, `count` of each class in each part; without parts, the classes lie in the folder itself.

    Returns:
        The folder.
    """
    generator = np.random.default_rng(0)
    for part in parts or ("",):
        for name in classes:
            folder = root / "images" / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                save(folder / f"{number}.png", generator.integers(0, 256, shape, np.uint8))
    return root / "images"


def save(file, pixels):
    """Write uint8 pixels, (H, W) or (H, W, C), as the file's name says."""
    Image.fromarray(pixels).save(file)
