"""Predict the next character of a text with a small transformer, and sweep its activation and its depth.

    python examples/next_character.py                    # two activations, two depths, two seeds: about a minute
    python examples/next_character.py activation=silu    # any override of train.py, added to these

A LightningModule and a LightningDataModule, as one writes them without gradflow. What their constructors ask for
(`activation`, `blocks`, `width`, `optimizer`, `num_classes`) they get; everything else is their own business.
"""

import random
import sys

import lightning as L
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

NOUNS = ["sailor", "bird", "baker", "river", "child", "teacher", "garden", "letter"]
ADJECTIVES = ["old", "small", "quiet", "green", "lonely"]
VERBS = ["see", "follow", "remember", "like", "hear"]


class Sentences(L.LightningDataModule):
    """A text whose verbs agree with their subjects, across the words in between, cut into pieces.

    Args:
        characters: the length of the text; four fifths are for training, and a tenth each for validation and test.
        context: characters in a piece.
        batch_size: pieces in a batch.
    """

    def __init__(self, characters: int = 40_000, context: int = 40, batch_size: int = 32) -> None:
        super().__init__()
        self.context, self.batch_size = context, batch_size
        self.text = written(characters)
        self.alphabet = sorted(set(self.text))
        self.num_classes = len(self.alphabet)

    def setup(self, stage: str) -> None:
        numbers = torch.tensor([self.alphabet.index(letter) for letter in self.text])
        pieces = numbers.unfold(0, self.context + 1, self.context)
        tenth = len(pieces) // 10
        self.parts = torch.split(pieces, [len(pieces) - 2 * tenth, tenth, tenth])

    def loader(self, part: int, *, shuffle: bool = False) -> DataLoader:
        return DataLoader(TensorDataset(self.parts[part]), self.batch_size, shuffle=shuffle)

    def train_dataloader(self) -> DataLoader:
        return self.loader(0, shuffle=True)

    def val_dataloader(self) -> DataLoader:
        return self.loader(1)

    def test_dataloader(self) -> DataLoader:
        return self.loader(2)


def written(characters: int) -> str:
    """The text: `two old sailors near the river remember a bird. `, and so on."""
    choose = random.Random(0).choice
    text = ""
    while len(text) < characters:
        many = choose([True, False])
        subject = f"{choose(['two', 'some']) if many else choose(['a', 'the'])} {choose(ADJECTIVES)} {choose(NOUNS)}"
        verb = choose(VERBS) + ("" if many else "s")
        text += f"{subject}{'s' if many else ''} near the {choose(NOUNS)} {verb} a {choose(NOUNS)}. "
    return text[:characters]


class Block(nn.Module):
    """Attention to the characters before, then two layers for each character, both added to what they are given."""

    def __init__(self, width: int, activation: type[nn.Module]) -> None:
        super().__init__()
        self.before_attention, self.before_layers = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, num_heads=4, batch_first=True)
        self.layers = nn.Sequential(nn.Linear(width, 4 * width), activation(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        y = self.before_attention(x)
        later = nn.Transformer.generate_square_subsequent_mask(x.shape[1], device=x.device)
        x = x + self.attention(y, y, y, attn_mask=later, is_causal=True, need_weights=False)[0]
        return x + self.layers(self.before_layers(x))


class NextCharacter(L.LightningModule):
    """A transformer with `blocks` blocks.

    Args:
        num_classes: letters of the alphabet; the data module knows how many.
        activation: makes the function between the two layers of a block.
        blocks: how many.
        width: numbers for each character.
        optimizer: makes the optimizer from the parameters.
        context: the longest piece of text.
    """

    def __init__(self, num_classes, activation, blocks, width, optimizer, context: int = 40) -> None:
        super().__init__()
        self.letters, self.places = nn.Embedding(num_classes, width), nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(Block(width, activation) for _ in range(blocks)))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, num_classes))
        self.optimizer = optimizer

    def forward(self, letters: Tensor) -> Tensor:
        places = torch.arange(letters.shape[1], device=letters.device)
        return self.head(self.blocks(self.letters(letters) + self.places(places)))

    def step(self, batch: list[Tensor], part: str) -> Tensor:
        (pieces,) = batch
        outputs = self(pieces[:, :-1]).flatten(0, 1)
        targets = pieces[:, 1:].flatten()
        loss = F.cross_entropy(outputs, targets)
        self.log(f"{part}/loss", loss)
        if part != "train":
            self.log(f"{part}/acc", (outputs.argmax(1) == targets).float().mean())
            self.log(f"{part}/perplexity", loss.exp())
        return loss

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        return self.step(batch, "train")

    def validation_step(self, batch: list[Tensor], batch_idx: int) -> None:
        self.step(batch, "val")

    def test_step(self, batch: list[Tensor], batch_idx: int) -> None:
        self.step(batch, "test")

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self.optimizer(self.parameters())


SWEEP = [
    *("module=custom", "module._target_=next_character.NextCharacter"),
    *("data=custom", "data._target_=next_character.Sentences"),
    *("activation=relu,tanh", "blocks=1,3", "seed=0,1", "width=32", "optimizer.lr=0.003", "trainer.max_epochs=8"),
    *("headline=test/acc_at_best", "study=next_character"),
]

if __name__ == "__main__":
    from gradflow.sweep.cli import main

    sys.argv[1:] = [*SWEEP, *sys.argv[1:]]
    main()
