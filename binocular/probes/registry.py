"""The probes by name; a new one is one class and one line here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from binocular.probes.base import Column, Probe
from binocular.protocols.overrides import parse_override
from binocular.stimuli.errors import BadInput
from binocular.stimuli.kinds import Kinds
from binocular.stimuli.registry import checked
from binocular.stimuli.user_code import is_shipped

__all__ = ["PROBES", "probe_from", "probe_type"]

_SHIPPED = {
    "source-variance": "binocular.probes.relative_variance:RelativeSourceVariance",
    "odi": "binocular.probes.gratings:DominanceIndex",
    "disparity": "binocular.probes.disparity:Disparity",
    "acuity": "binocular.probes.acuity:Acuity",
    "stereoacuity": "binocular.probes.disparity:Stereoacuity",
    "stereo-threshold": "binocular.probes.stereo_threshold:StereoThreshold",
    "one-eye": "binocular.probes.one_eye:OneEye",
    "usable-information": "binocular.probes.information:UsableInformation",
    "fisher": "binocular.probes.weights:FisherInformation",
    "weights": "binocular.probes.weights:PathwayWeights",
    "plasticity": "binocular.probes.plasticity:Plasticity",
    "receptive-fields": "binocular.probes.receptive_fields:ReceptiveFields",
}
PROBES = Kinds("probes", _SHIPPED, Probe)
"""Name -> where the probe is defined, as ``module:Class``."""


def probe_type(name: str, where: str = "--probe") -> type[Probe]:
    """Return the class of a probe.

    Parameters
    ----------
    name, where
        One of ``PROBES``, or ``module:Class`` for a user's own; what a message calls the field that names it.

    Raises
    ------
    BadInput
        If there is no such probe, its code may not be run, or it does not say what a probe must.
    """
    cls = PROBES.named(name, where)
    if not is_shipped(cls) and (complaint := _complaint(cls)):
        raise BadInput(f"{where} names {name}, {complaint}")
    return cls


def _complaint(cls: type[Probe]) -> str:
    """Say what a user's probe lacks; nothing where it is whole."""
    lacking = [part for part in ("name", "about", "columns") if not hasattr(cls, part)]
    lacking += ["measure"] if cls.measure is Probe.measure else []
    if lacking:
        return f"which lacks {', '.join(lacking)}; a probe has name, about, columns and measure"
    if not re.fullmatch(r"[a-z][a-z0-9-]*", cls.name):
        return f"whose name is {cls.name!r}; accepted: lower-case letters, digits and hyphens"
    if cls.name in PROBES and PROBES.find(cls.name) is not cls:
        return f"whose name '{cls.name}' another probe has; it needs a name of its own"
    odd = [n for n, c in cls.columns.items() if not isinstance(c, Column) or c.dims[:1] not in (("checkpoint",), (n,))]
    if odd:
        return f"whose column '{odd[0]}' was made by neither coordinate() nor at_checkpoint()"
    return ""


def probe_from(name: str, settings: Sequence[str] = (), where: str = "--probe") -> Probe:
    """Return a probe with settings.

    Parameters
    ----------
    name, where
        As for `probe_type`.
    settings
        Texts ``field=value``, the value as in TOML.

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
