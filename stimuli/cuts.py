"""What stimuli share that are cut from photographs, anew at each presentation or once for all."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from binocular.stimuli.base import Split, StimulusSet
from binocular.stimuli.streams import stream

if TYPE_CHECKING:
    import torch

__all__ = ["CutSet"]


class CutSet(StimulusSet):
    """Cuts of photographs whose classes take turns; a subclass says where a drawn number cuts.

    Attributes
    ----------
    config
        What was asked for: ``n_train`` and ``n_test``; ``fresh``, what is new at each presentation in training,
        ``"scenes"`` (place and noise), ``"noise"`` or ``"none"``; ``noise``, the s.d. of the noise of each pixel.
    drawn
        Shape of the numbers that choose a place, of one cut.
    """

    config: Any
    drawn: ClassVar[tuple[int, ...]] = ()

    def _keep(self, seed: int, device: torch.device | str) -> None:
        """Make the labels, and the cuts that are the same at each presentation; ``class_names`` is known by then."""
        import torch

        config = self.config
        self.labels: dict[Split, torch.Tensor] = {}
        self._kept: dict[Split, torch.Tensor] = {}
        sizes: dict[Split, int] = {"train": config.n_train, "test": config.n_test}
        for split, n in sizes.items():
            labels = (torch.arange(n) % self.n_classes).to(device)
            self.labels[split] = labels
            if split == "test" or config.fresh != "scenes":
                # Drawn on the CPU, so that what is kept is the same on every kind of device.
                drawn = torch.rand(n, *self.drawn, generator=stream(seed, f"stimulus/places/{split}"))
                views = self._cut(split, labels, drawn.to(device))
                if split == "test" or config.fresh == "none":
                    noise = torch.randn(views.shape, generator=stream(seed, f"stimulus/{split}-noise"))
                    views += config.noise * noise.to(device)
                self._kept[split] = views

    def views(self, split: Split, index: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        """Present cuts to both eyes; see ``StimulusSet.views``."""
        import torch

        if split in self._kept:
            views = self._kept[split][index]
        else:
            assert generator is not None, "what is new in training is drawn from a generator"
            drawn = torch.rand(len(index), *self.drawn, generator=generator, device=index.device)
            views = self._cut(split, self.labels[split][index], drawn)
        if split == "train" and self.config.fresh != "none":
            assert generator is not None, "noise for training is drawn from a generator"
            noise = torch.randn(views.shape, generator=generator, device=views.device)
            views = views + self.config.noise * noise
        return views

    @abstractmethod
    def _cut(self, split: Split, labels: torch.Tensor, drawn: torch.Tensor) -> torch.Tensor:
        """Cut views ``[n, eye, 1, size, size]`` of some classes; ``drawn [n, ...]`` in [0, 1) chooses the places."""
