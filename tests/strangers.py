"""Networks as strangers write them: other fusions, other arguments, nothing declared."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def stem(channels: int, width: int = 4) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, width, 3, 2, 1), nn.BatchNorm2d(width), nn.ReLU(inplace=True))


class Concatenating(nn.Module):
    """The features of both eyes side by side, in a forward of its own; nothing is declared."""

    def __init__(self, in_channels: int, num_classes: int, width: int = 4) -> None:
        super().__init__()
        self.one, self.other = stem(in_channels, width), stem(in_channels, width)
        self.mix = nn.Conv2d(2 * width, 6, 3, padding=1)
        self.norm, self.act = nn.BatchNorm2d(6), nn.ReLU(inplace=True)
        self.drop, self.fc = nn.Dropout(0.2), nn.Linear(6 * 9, num_classes)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        both = self.act(self.norm(self.mix(torch.cat([self.one(left), self.other(right)], 1))))
        pooled = nn.functional.adaptive_avg_pool2d(both, 3)
        return self.fc(self.drop(pooled.view(len(both), -1)))


class Parts(nn.Module):
    """Two pathways, a trunk and a head; subclasses say how the eyes meet."""

    fused = 4

    def __init__(self, shape: tuple[int, int, int], n_classes: int) -> None:
        super().__init__()
        self.left, self.right = stem(shape[0]), stem(shape[0])
        self.trunk = nn.Sequential(nn.Conv2d(self.fused, 6, 3, padding=1), nn.ReLU())
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, n_classes))

    def forward(self, views: Tensor) -> Tensor:
        fused = self.fuse(self.left(views[:, 0]), self.right(views[:, 1]))  # type: ignore[operator]
        return self.head(self.trunk(fused))


class Side(Parts):
    fused = 8

    def fuse(self, left: Tensor, right: Tensor) -> Tensor:
        return torch.cat([left, right], 1)


class Noisy(Side):
    """Noise in a pathway and scores that its parts do not give, at every look."""

    def __init__(self, shape: tuple[int, int, int], n_classes: int, scale: float = 1.0) -> None:
        super().__init__(shape, n_classes)
        self.left.append(Noise())
        self.scale = scale

    def forward(self, views: Tensor) -> Tensor:
        return self.scale * super().forward(views)


class Noise(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + torch.randn_like(x)


class PartlyFixed(Side):
    """A pathway that does not learn, and a part that nothing depends on."""

    def __init__(self, shape: tuple[int, int, int], n_classes: int) -> None:
        super().__init__(shape, n_classes)
        self.left.requires_grad_(False)
        self.unused = nn.Linear(3, 3)


class Maximum(Parts):
    def fuse(self, left: Tensor, right: Tensor) -> Tensor:
        return torch.maximum(left, right)


class Gated(Parts):
    def __init__(self, shape: tuple[int, int, int], n_classes: int) -> None:
        super().__init__(shape, n_classes)
        self.gate = nn.Conv2d(8, 4, 1)

    def fuse(self, left: Tensor, right: Tensor) -> Tensor:
        share = self.gate(torch.cat([left, right], 1)).sigmoid()
        return share * left + (1 - share) * right


class Attending(Parts):
    """Each place of one eye attends to the places of the other; the fusion is a module."""

    def __init__(self, shape: tuple[int, int, int], n_classes: int) -> None:
        super().__init__(shape, n_classes)
        self.fuse = CrossAttention(4)


class CrossAttention(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True)
        self.after = nn.ReLU()

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        one, other = (eye.flatten(2).transpose(1, 2) for eye in (left, right))
        heard, _ = self.attention(one, other, other, need_weights=False)
        return self.after((one + heard).transpose(1, 2).reshape(left.shape))


class Shared(nn.Module):
    """One stem for both eyes."""

    def __init__(self, shape: tuple[int, int, int], n_classes: int) -> None:
        super().__init__()
        self.left = self.right = stem(shape[0])
        self.trunk = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten())
        self.head = nn.Linear(16, n_classes)

    def forward(self, views: Tensor) -> Tensor:
        return self.head(self.trunk(self.left(views[:, 0]) + self.right(views[:, 1])))


class Tokens(nn.Module):
    """A transformer on the patches of both eyes, one after the other, behind a token of its own."""

    def __init__(self, image_size: int, in_chans: int, num_classes: int, width: int = 8) -> None:
        super().__init__()
        self.embed = nn.Conv2d(in_chans, width, 4, 4)
        self.cls = nn.Parameter(torch.randn(1, 1, width) / 4)
        self.place = nn.Parameter(torch.randn(1, 2 * (image_size // 4) ** 2 + 1, width) / 4)
        layer = nn.TransformerEncoderLayer(width, 2, 2 * width, 0.1, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.encoder.stacked_maps = 2  # type: ignore[assignment]
        self.norm, self.classify = nn.LayerNorm(width), nn.Linear(width, num_classes)

    def forward(self, views: Tensor) -> Tensor:
        patches = torch.cat([self.embed(eye).flatten(2).transpose(1, 2) for eye in views.unbind(1)], 1)
        seen = torch.cat([self.cls.expand(len(patches), -1, -1), patches], 1) + self.place
        return self.classify(self.norm(self.encoder(seen)[:, 0]))


def plain(in_channels: int, planes: int, num_classes: int) -> nn.Module:
    raise NotImplementedError


def by_length(channels: int, length: int, num_classes: int) -> nn.Module:
    """Made of arguments whose order is its own."""
    return nn.Sequential(nn.Flatten(), nn.Linear(2 * channels * length, num_classes))


class Flat(nn.Module):
    """One layer, at which all begins and ends."""

    def __init__(self) -> None:
        super().__init__()
        self.only = nn.Linear(2 * 144, 8)

    def forward(self, views: Tensor) -> Tensor:
        return self.only(views.flatten(1))


class Unknown(Side):
    """Begins with scores that are not numbers."""

    def forward(self, views: Tensor) -> Tensor:
        return super().forward(views) / 0 * 0


class Ending(Side):
    """Ends the program when it is looked at."""

    def forward(self, views: Tensor) -> Tensor:
        raise SystemExit(3)


NUMBER = 3


class Dictionary(Side):
    def forward(self, views: Tensor) -> dict[str, Tensor]:  # type: ignore[override]
        return {"logits": super().forward(views)}


class Block(nn.Module):
    def __init__(self, width: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(width, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out)
        self.relu, self.short = nn.ReLU(inplace=True), nn.Conv2d(width, out, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.norm(self.conv(x)) + self.short(x))


class Residual(nn.Module):
    """A backbone of one eye, of the form of a ResNet."""

    def __init__(self, num_classes: int = 1000) -> None:
        super().__init__()
        self.conv1, self.relu = nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(inplace=True)
        self.layer1, self.layer2 = nn.Sequential(Block(4, 4, 1), Block(4, 4, 1)), nn.Sequential(Block(4, 8, 2))
        self.layer3 = nn.Sequential(Block(8, 16, 2))
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d((1, 1)), nn.Linear(16, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer3(self.layer2(self.layer1(self.relu(self.conv1(x)))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class Vision(nn.Module):
    """A backbone of one eye, of the form of a vision transformer."""

    def __init__(self, num_classes: int = 1000) -> None:
        super().__init__()
        self.conv_proj = nn.Conv2d(3, 8, 4, 4)
        self.class_token = nn.Parameter(torch.randn(1, 1, 8))
        self.encoder = Encoder()
        self.heads = nn.Sequential(nn.Linear(8, num_classes))

    def forward(self, x: Tensor) -> Tensor:
        n, _, height, width = x.shape
        torch._assert(height == 16, "height")
        x = self.conv_proj(x).reshape(n, 8, (height // 4) * (width // 4)).permute(0, 2, 1)
        x = self.encoder(torch.cat([self.class_token.expand(n, -1, -1), x], dim=1))
        return self.heads(x[:, 0])


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.pos_embedding = nn.Parameter(torch.randn(1, 17, 8))
        make = lambda: nn.TransformerEncoderLayer(8, 2, 16, 0.0, "gelu", batch_first=True)  # noqa: E731
        self.layers, self.ln = nn.Sequential(*(make() for _ in range(3))), nn.LayerNorm(8)

    def forward(self, x: Tensor) -> Tensor:
        return self.ln(self.layers(x + self.pos_embedding))


class Branching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x) if x.sum() > 0 else x


class Skipping(Residual):
    def forward(self, x: Tensor) -> Tensor:
        first = self.layer1(self.relu(self.conv1(x)))
        seen = self.layer3(self.layer2(first) + first.mean())
        return self.fc(torch.flatten(self.avgpool(seen), 1))


class Scaled(Residual):
    """Does something that its modules do not tell."""

    def __init__(self, num_classes: int = 1000, scale: float = 1.0) -> None:
        super().__init__(num_classes)
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer3(self.layer2(self.layer1(self.relu(self.conv1(x)))))
        return self.fc(self.scale * torch.flatten(self.avgpool(x), 1))
