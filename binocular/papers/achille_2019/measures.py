"""What is measured on subjects after Achille, Rovere & Soatto (2019): accuracy lost by windows, and information."""

from __future__ import annotations

from functools import cache

import numpy as np
import xarray as xr

from binocular.papers.numbers import settled, swept
from binocular.papers.published import published_curve
from binocular.store.study import Study

__all__ = [
    "fisher_traces",
    "follows",
    "information",
    "published_accuracy",
    "sensitivity",
    "windows",
]


@cache
def published_accuracy() -> xr.DataArray:
    """Return published accuracy in per cent by the epoch in which the blur ended, ``[removal]`` (Fig. 1)."""
    where = {"system": "CIFAR-10 network, blur"}
    return published_curve("acuity_recovery.csv", "performance", where=where, removal="deficit_end").astype(float)


def windows(study: Study) -> tuple[xr.DataArray, int]:
    """Return the points lost by the onset of a blur of fixed length, ``[onset, seed]``, and its length in epochs."""
    conditions = swept(study, "blurred-at", "onset")
    deficit = next(p for p in next(iter(conditions.values())).subjects[0].phases if p["deficits"])
    loss = -(settled(study, "blurred-at-*", "onset") - settled(study, "normal"))
    return loss, deficit["stop"] - deficit["start"]


def fisher_traces(study: Study) -> xr.DataArray:
    """Return the trace of the Fisher information of all weights by epoch, ``[epoch, seed]``, in nat^2."""
    found: dict[int, dict[int, float]] = {}
    for condition in study.reared:
        for subject in condition.subjects:
            record = next(record for (probe, _), record in subject.measures.items() if probe == "fisher")
            for epoch, parts in zip(record.epoch, record.values["fisher_trace"], strict=True):
                found.setdefault(subject.seed, {})[int(epoch)] = float(np.nansum(parts))
    epochs = sorted(set.intersection(*(set(traces) for traces in found.values())))
    values = [[traces[epoch] for traces in found.values()] for epoch in epochs]
    return xr.DataArray(values, {"epoch": epochs, "seed": list(found)}, ("epoch", "seed"))


def information(study: Study) -> dict[str, xr.DataArray]:
    """Return the rise to the peak and the change from it to the end, in octaves, and the epoch of the peak.

    A subject's peak is looked for where the others of the study have theirs.
    """
    traces = fisher_traces(study)
    curves = traces.copy(data=np.log2(traces.to_numpy()))
    others = [curves.drop_sel(seed=seed) if curves.sizes["seed"] > 1 else curves for seed in curves["seed"]]
    peak = xr.DataArray([int(np.argmax(other.mean("seed").values)) for other in others], dims="seed")
    top = curves.isel(epoch=peak, seed=xr.DataArray(np.arange(len(others)), dims="seed")).drop_vars("epoch")
    epoch = xr.DataArray(curves["epoch"].values[peak.values].astype(float), {"seed": curves["seed"]}, ("seed",))
    return {"rise": top - curves[0], "fall": curves[-1] - top, "peak": epoch}


def sensitivity(study: Study, fisher: Study) -> xr.Dataset:
    """Return for each seed the mean logarithm of the information during each window, and the loss by that window.

    Parameters
    ----------
    study, fisher
        Deficits in windows that begin at different epochs; and undisturbed subjects of the same seeds, with the probe
        of Fisher information.

    Returns
    -------
    xarray.Dataset
        ``information`` and ``loss``, ``[onset, seed]``; information is log10 of the trace of an undisturbed subject,
        interpolated between the epochs at which it was measured.
    """
    loss, length = windows(study)
    traces = fisher_traces(fisher)
    epochs, curves = traces["epoch"].values, np.log10(traces.to_numpy()).T
    during = [
        [np.interp(np.arange(onset, onset + length + 1), epochs, one).mean() for one in curves]
        for onset in loss["onset"].values
    ]
    found = xr.DataArray(during, {"onset": loss["onset"], "seed": traces["seed"]}, ("onset", "seed"))
    both = xr.merge([found.rename("information"), loss.rename("loss")], join="inner", compat="override")
    return both.dropna("seed").transpose("onset", "seed")


def follows(study: Study, fisher: Study) -> xr.DataArray:
    """Return the rank correlation over windows of the loss with the information during the window, ``[seed]``.

    Parameters
    ----------
    study, fisher
        As for `sensitivity`.
    """
    from scipy.stats import rankdata

    both = sensitivity(study, fisher).map(lambda values: values.copy(data=rankdata(values, axis=0)))
    with np.errstate(invalid="ignore", divide="ignore"):
        return xr.corr(both["information"], both["loss"], "onset")
