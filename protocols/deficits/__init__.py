"""Deficits and treatments, by kind. To add one: a class and a line here, or ``DEFICITS[kind] = Class`` in your code."""

from __future__ import annotations

from typing import Any

from binocular.protocols.checked import complain, nearest

from .alternation import Alternation
from .base import Deficit, EyeDeficit, Ramp
from .controls import LabelPermutation, Sham
from .geometry import Aniseikonia, Anisometropia, Astigmatism, Flip, Inversion, Rotation
from .light import Blur, ContrastLoss, Dark, Inactivation, Noise, Occlusion
from .pairing import Dissociation, DissociationPlan, Misalignment
from .treatments import ContrastBalance, DarkExposure, Patching, Penalisation

__all__ = ["DEFICITS", "Deficit", "DissociationPlan", "EyeDeficit", "Ramp", "deficit_from"]

DEFICITS: dict[str, type[Deficit]] = {
    str(deficit.model_fields["kind"].default): deficit
    for deficit in (
        Blur,
        Occlusion,
        Inactivation,
        Noise,
        ContrastLoss,
        Dark,
        Dissociation,
        Misalignment,
        Alternation,
        Anisometropia,
        Astigmatism,
        Aniseikonia,
        Rotation,
        Flip,
        Inversion,
        LabelPermutation,
        Sham,
        Patching,
        Penalisation,
        ContrastBalance,
        DarkExposure,
    )
}


def deficit_from(value: Any) -> Deficit:
    """Return the deficit that a table describes.

    Parameters
    ----------
    value
        A mapping with ``kind`` and the fields of that kind, or a deficit, which is returned as it is.

    Raises
    ------
    pydantic.ValidationError
        For an unknown kind (naming the known ones) or a field it does not accept.
    """
    if isinstance(value, Deficit):
        return value
    kinds = ", ".join(DEFICITS)
    if not isinstance(value, dict):
        raise complain(
            "Deficit", (), f'is {value!r}, but must be a table such as {{ kind = "blur", factor = 4 }}', value
        )
    kind = value.get("kind")
    if not isinstance(kind, str):
        what = "is missing" if kind is None else f"is {kind!r}"
        raise complain("Deficit", ("kind",), f"{what}, but must be one of: {kinds}", kind)
    if kind not in DEFICITS:
        raise complain("Deficit", ("kind",), f"is '{kind}', but must be one of: {kinds}{nearest(kind, DEFICITS)}", kind)
    return DEFICITS[kind].model_validate(value)
