"""The probes by name; a new one is one class and one line here."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from binocular.probes.base import Probe
from binocular.protocols.overrides import parse_override
from binocular.stimuli.errors import BadInput
from binocular.stimuli.registry import checked

__all__ = ["PROBES", "probe_from", "probe_type"]

PROBES: dict[str, str] = {
    "source-variance": "binocular.probes.relative_variance:RelativeSourceVariance",
    "odi": "binocular.probes.gratings:DominanceIndex",
    "disparity": "binocular.probes.disparity:Disparity",
    "acuity": "binocular.probes.acuity:Acuity",
    "stereoacuity": "binocular.probes.disparity:Stereoacuity",
    "one-eye": "binocular.probes.one_eye:OneEye",
    "usable-information": "binocular.probes.information:UsableInformation",
    "fisher": "binocular.probes.weights:FisherInformation",
    "weights": "binocular.probes.weights:PathwayWeights",
    "plasticity": "binocular.probes.plasticity:Plasticity",
    "receptive-fields": "binocular.probes.receptive_fields:ReceptiveFields",
}
"""Name -> where the probe is defined, as ``module:Class``."""


def probe_type(name: str, where: str = "--probe") -> type[Probe]:
    """Return the class of a probe; ``where`` is what a message calls the field that names it.

    Parameters
    ----------
    name
        One of ``PROBES``.
    where
        What a message calls the field that names it.

    Raises
    ------
    BadInput
        For a name that is not in ``PROBES``.
    """
    if name not in PROBES:
        raise BadInput(f"{where}: there is no probe '{name}'; accepted: {', '.join(PROBES)}")
    module, _, cls = PROBES[name].partition(":")
    return getattr(import_module(module), cls)


def probe_from(name: str, settings: Sequence[str] = (), where: str = "--probe") -> Probe:
    """Return a probe with settings.

    Parameters
    ----------
    name
        A name in ``PROBES``.
    settings
        Texts ``field=value``, the value as in TOML.
    where
        What a message calls the field that names the probe.

    Raises
    ------
    BadInput
        For an unknown name or field, or a value that the field does not take.
    """
    cls = probe_type(name, where)
    fields: dict[str, Any] = {}
    for text in settings:
        path, value = parse_override(text)
        if len(path) != 1:
            raise BadInput(f"--set {text}: a probe has no fields in fields; accepted: {', '.join(cls.model_fields)}")
        fields[path[0]] = value
    return checked(cls, fields, f"probe {name}")
