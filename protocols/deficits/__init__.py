"""Deficits and treatments, by kind; a new one is a class and a line here, or stays outside (`stimuli.kinds`)."""

from __future__ import annotations

from typing import Any

from binocular.protocols.checked import model_of_kind
from binocular.stimuli.kinds import Kinds

from .alternation import Alternation
from .base import Deficit, EyeDeficit, Ramp
from .controls import LabelPermutation, Sham
from .geometry import Aniseikonia, Anisometropia, Astigmatism, Flip, Inversion, Rotation
from .light import Blur, ContrastLoss, Dark, Inactivation, Noise, Occlusion
from .pairing import Dissociation, DissociationPlan, Misalignment
from .treatments import ContrastBalance, DarkExposure, Patching, Penalisation

__all__ = ["DEFICITS", "Deficit", "DissociationPlan", "EyeDeficit", "Ramp", "deficit_from"]

_SHIPPED = {
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
DEFICITS = Kinds("deficits", _SHIPPED, Deficit)


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
    return model_of_kind(DEFICITS, value, '{ kind = "blur", factor = 4 }').model_validate(value)
