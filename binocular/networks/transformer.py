"""A two-eye transformer: patches of both eyes are tokens of one sequence, and attention is where the eyes meet."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from binocular.networks.base import TwoEyedNetwork

__all__ = ["SplitTransformer"]


class EyePatches(nn.Module):
    """One eye's patches as tokens, in its own half of a map whose other half is zero.

    The tokens of both eyes lie in one map ``[batch, width, 2 rows, columns]``, the left eye's above the right eye's, so
    that the sum of the two pathways is both eyes' tokens side by side, and every site of the network is a map of
    channels and places like that of any other network here.

    Parameters
    ----------
    embedding
        From patches to tokens; the same module in both eyes where they share it.
    position
        What is added to the tokens of this eye, ``[width, rows, columns]``.
    eye
        0 for left, 1 for right.
    """

    def __init__(self, embedding: nn.Conv2d, position: Tensor, eye: int) -> None:
        super().__init__()
        self.embedding = embedding
        self._patch = embedding.kernel_size[0]
        self.position = nn.Parameter(position)
        self._eye = eye

    def forward(self, view: Tensor) -> Tensor:
        """Map ``[batch, channel, height, width]`` to ``[batch, width, 2 rows, columns]``."""
        tall, wide = (-size % self._patch for size in view.shape[-2:])
        # Grey fills up what a patch at the lower or right end lacks.
        tokens = self.embedding(nn.functional.pad(view, (0, wide, 0, tall))) + self.position
        empty = torch.zeros_like(tokens)
        return torch.cat([tokens, empty] if self._eye == 0 else [empty, tokens], dim=2)


class AttentionBlock(nn.Module):
    """Self-attention and a fully connected layer, each on normalised tokens and added to them (pre-norm).

    Attributes
    ----------
    stacked_maps
        Its output holds two maps of the visual field, one above the other.
    """

    stacked_maps = 2

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self._heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.mix = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 2 * width)
        self.narrow = nn.Linear(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[batch, width, rows, columns]`` to the same shape; all places attend to all places of both eyes."""
        tokens = x.flatten(2).transpose(1, 2)
        tokens = tokens + self.mix(self._attend(self.norm1(tokens)))
        tokens = tokens + self.narrow(nn.functional.gelu(self.widen(self.norm2(tokens))))
        return tokens.transpose(1, 2).reshape(x.shape)

    def _attend(self, tokens: Tensor) -> Tensor:
        # Written out: it is the same under vmap, and for these few tokens as fast as the fused kernels.
        parts = self.queries_keys_values(tokens).unflatten(2, (3, self._heads, -1)).permute(2, 0, 3, 1, 4)
        queries, keys, values = parts[0], parts[1], parts[2]
        attention = (queries @ keys.transpose(2, 3) / queries.shape[-1] ** 0.5).softmax(dim=-1)
        return (attention @ values).transpose(1, 2).flatten(2)


class Fusion(nn.Module):
    """The mean of what the two eyes' tokens at each place have become, normalised over channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[batch, width, 2 rows, columns]`` to ``[batch, width, rows, columns]``."""
        upper, lower = x.chunk(2, dim=2)
        return self.norm(((upper + lower) / 2).permute(0, 2, 3, 1)).permute(0, 3, 1, 2).contiguous()


class SplitTransformer(TwoEyedNetwork):
    """Two-eye transformer in the manner of the multi-view one of Kleinman et al. 2023, for the laboratory scale.

    Each eye's patches become tokens by an embedding of its own or a shared one (the pathways); both eyes' tokens go
    through blocks of self-attention together (the trunk), which ends with the mean of both eyes' tokens at each place;
    average pooling and a linear classifier. A blanked patch is a token of its position alone, so that rebuilding
    blanked patches is masked modelling with the whole sequence in the encoder. There is no batch normalisation.

    Parameters
    ----------
    shape, n_classes
        As for `binocular.networks.cnn.SplitCNN`, of any size.
    width
        Channels of a token, a multiple of ``attention_heads``.
    depth
        Blocks of the trunk, at least 1.
    patch
        Side of a patch in pixels.
    attention_heads
        Heads of the attention.
    shared
        Whether both eyes have the same patch embedding (positions are each eye's own in any case).

    Attributes
    ----------
    first_binocular
        The tokens behind the first block of attention, which is where the eyes meet.
    """

    first_binocular = "trunk.0"
    seconds_per_presentation = 8e-4  # on an AMD EPYC with AVX-512, 26 November 2026

    def __init__(
        self,
        shape: tuple[int, int, int],
        n_classes: int,
        width: int = 64,
        depth: int = 3,
        patch: int = 4,
        attention_heads: int = 4,
        shared: bool = False,
    ) -> None:
        super().__init__()
        if not 1 <= patch <= min(shape[1:]):
            raise ValueError(
                f"patch must be from 1 to {min(shape[1:])} for {shape[1]} x {shape[2]} pixels, not {patch}"
            )
        if width < 1 or depth < 1 or attention_heads < 1 or width % attention_heads:
            raise ValueError(
                f"width {width}, depth {depth} and attention_heads {attention_heads} must be at least 1, and the width "
                "a multiple of attention_heads"
            )
        rows, columns = -(-shape[1] // patch), -(-shape[2] // patch)
        embedding = nn.Conv2d(shape[0], width, patch, patch)
        other = embedding if shared else nn.Conv2d(shape[0], width, patch, patch)
        # Both eyes begin with the same code of places: corresponding places are alike before anything is learned.
        position = torch.randn(width, rows, columns) / 2
        self.left = EyePatches(embedding, position, 0)
        self.right = EyePatches(other, position.clone() + torch.randn(width, 1, 1) / 2, 1)
        self.trunk = nn.Sequential(*(AttentionBlock(width, attention_heads) for _ in range(depth)), Fusion(width))
        self.sites = tuple(f"trunk.{block}" for block in range(1, depth))
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, n_classes))
