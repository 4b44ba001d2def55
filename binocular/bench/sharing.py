"""What the phase tree saves: epochs that were asked for over epochs that are reared."""

from __future__ import annotations

from binocular.bench.base import Measured, Suite

__all__ = ["epochs"]


def epochs(suite: Suite) -> Measured:
    """Count the epochs of the named protocols with and without sharing; the figure is that of the main experiment."""
    from binocular.protocols import library_names, load_protocol
    from binocular.report.showing import planned_tree

    counts = {}
    for name in library_names() if suite == "full" else ["monocular-deprivation"]:
        tree = planned_tree(load_protocol(name))
        counts[name] = {
            "asked": tree.epochs_alone,
            "reared": tree.epochs_shared,
            "ratio": tree.epochs_alone / tree.epochs_shared,
        }
    return Measured([counts["monocular-deprivation"]["ratio"]], "every subject reared by itself", {"epochs": counts})
