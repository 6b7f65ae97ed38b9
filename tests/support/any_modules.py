"""Small LightningModules that know nothing of gradflow, and the networks that they train."""

import lightning as L
import torch
import torchvision
from lightning.pytorch.loggers import Logger
from torch import nn

CLASSES, SAMPLES, BATCH = 3, 6, 2


class Rows(Logger):
    """Keeps every row: step and values by tag."""

    name, version = "rows", 0

    def __init__(self):
        super().__init__()
        self.rows = []

    def log_metrics(self, metrics, step=None):
        self.rows.append((step, dict(metrics)))

    def log_hyperparams(self, params, *args, **kwargs):
        pass

    def curve(self, tag):
        """Step to value; a step that was written twice fails."""
        points = [(step, values[tag]) for step, values in self.rows if tag in values]
        assert len(dict(points)) == len(points), f"{tag} was written twice"
        return dict(points)

    def tags(self, prefix=""):
        return {tag for _, values in self.rows for tag in values if tag.startswith(prefix)}


def images(size=32, *, channels=3):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(SAMPLES, channels, size, size, generator=generator)
    return x, torch.arange(SAMPLES) % CLASSES


def words(*, length=5, vocabulary=11):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(vocabulary, (SAMPLES, length), generator=generator), torch.arange(SAMPLES) % CLASSES


def loss_of(network, batch):
    """Cross-entropy; dropout is the same at each step, whatever a loader has drawn."""
    torch.manual_seed(0)
    x, y = batch
    return nn.functional.cross_entropy(network(x), y)


class Classifier(L.LightningModule):
    """Cross-entropy of a network's outputs, the batches in order."""

    def __init__(self, network, data, *, lr=0.05):
        super().__init__()
        self.network = network
        self.data = data
        self.lr = lr

    def loss(self, batch):
        return loss_of(self.network, batch)

    def training_step(self, batch, batch_idx):
        loss = self.loss(batch)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self.loss(batch))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.lr)

    def val_dataloader(self):
        return self.train_dataloader()

    def train_dataloader(self):
        return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*self.data), batch_size=BATCH)


def fit(module, *, callbacks=(), epochs=1, resume=None, **options):
    """A trainer that has fitted the module, and the rows that were logged."""
    rows = Rows()
    defaults = {"accelerator": "cpu", "devices": 1, "max_epochs": epochs, "logger": rows, "log_every_n_steps": 1}
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
    trainer = L.Trainer(**(defaults | quiet | {"callbacks": list(callbacks)} | options))
    trainer.fit(module, ckpt_path=resume, weights_only=True if resume else None)
    return trainer, rows


class WordReader(nn.Module):
    """Embedding, LSTM of two layers, head."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(6, CLASSES)  # defined first, executed last
        self.lstm = nn.LSTM(4, 6, num_layers=2, batch_first=True)
        self.words = nn.Embedding(11, 4)

    def forward(self, x):
        return self.head(self.lstm(self.words(x))[0][:, -1])


class Encoder(nn.Module):
    """torch's TransformerEncoder over the rows of an image."""

    def __init__(self, *, norm_first):
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=norm_first)
        self.inputs = nn.Linear(96, 8)
        self.encoder = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x):
        return self.head(self.encoder(self.inputs(x.transpose(1, 2).flatten(2))).mean(1))


class Attention(nn.Module):
    """Attention with separate projections, as most code outside torch has it."""

    def __init__(self, width=4):
        super().__init__()
        self.value, self.key, self.query, self.out = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x):
        weights = torch.softmax(self.query(x) @ self.key(x).mT, -1)
        return x + self.out(weights @ self.value(x))


def attentions(depth=3):
    blocks = [Attention() for _ in range(depth)]
    return nn.Sequential(nn.Flatten(2), nn.Linear(32 * 32, 4), *blocks, nn.Flatten(), nn.Linear(12, CLASSES))


def googlenet():
    network = torchvision.models.googlenet(num_classes=CLASSES, init_weights=False)

    class Logits(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = network

        def forward(self, x):
            outputs = self.net(x)
            return outputs.logits + 0.3 * (outputs.aux_logits1 + outputs.aux_logits2) if self.training else outputs

    return Logits()


def swin():
    return torchvision.models.SwinTransformer([2, 2], 8, [1, 1], [2, 2], [4, 4], num_classes=CLASSES)


def vit():
    return torchvision.models.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=CLASSES)


def convnext():
    setting = torchvision.models.convnext.CNBlockConfig
    return torchvision.models.ConvNeXt([setting(8, 16, 2), setting(16, None, 1)], num_classes=CLASSES)


# Name: the network, its data, the paths of its first and last sites, and how many sites it has.
NETWORKS = {
    "resnet18": (lambda: torchvision.models.resnet18(num_classes=CLASSES), images, "conv1", "fc", 21),
    "resnet50": (lambda: torchvision.models.resnet50(num_classes=CLASSES), images, "conv1", "fc", 54),
    "googlenet": (googlenet, lambda: images(64), "net.conv1.conv", "net.fc", 64),
    "vit": (vit, images, "conv_proj", "heads.head", 10),
    "swin": (swin, images, "features.0.0", "head", 11),
    "convnext": (convnext, images, "features.0.0", "classifier.2", 12),
    "pre-norm": (lambda: Encoder(norm_first=True), images, "inputs", "head", 14),
    "post-norm": (lambda: Encoder(norm_first=False), images, "inputs", "head", 14),
    "lstm": (WordReader, words, "words", "head", 4),
    "attentions": (attentions, images, "1", "6", 14),
}
