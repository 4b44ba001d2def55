"""The kinds of stimuli, and the way from a mapping (a table of a protocol) to a checked configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from binocular.stimuli.base import StimulusConfig
from binocular.stimuli.errors import BadInput
from binocular.stimuli.kinds import Kinds
from binocular.stimuli.wording import nearest, of_the_input, what_is_wrong

__all__ = ["STIMULI", "checked", "stimulus_config"]

STIMULI = Kinds(
    "stimuli",
    {
        "stereo-scenes": "binocular.stimuli.scenes:StereoScenes",
        "stereo-photographs": "binocular.stimuli.stereo_photographs:StereoPhotographs",
        "moving-frames": "binocular.stimuli.moving_frames:MovingFrames",
        "split-images": "binocular.stimuli.split:SplitImages",
        "pictures": "binocular.stimuli.own_pictures:OwnPictures",
    },
    StimulusConfig,
)
"""Kind of stimulus -> where its configuration is defined, as ``module:Class``."""

Model = TypeVar("Model", bound=BaseModel)


def _explained(error: ValidationError, model: type[BaseModel], mapping: Mapping[str, Any], where: str) -> str:
    """Return one sentence that says what is wrong with a mapping, by field and by what would be accepted."""
    complaints: dict[str, str] = {}
    for problem in error.errors(include_url=False):
        steps = of_the_input(problem["loc"], mapping)
        place = where + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
        if problem["type"] == "extra_forbidden":
            fields = list(model.model_fields)
            what = f" is not a field; accepted are {', '.join(fields)}{nearest(str(steps[-1]), fields)}"
        elif problem["type"] in {"value_error", "assertion_error"}:
            what = f": {problem.get('ctx', {}).get('error', problem['msg'])}"
        else:
            what = f" {what_is_wrong(problem)}"
        if place in complaints:  # another of the types that the field takes
            what = f"{complaints[place]} or {what.rpartition('but must be ')[2]}"
        complaints[place] = what
    inner = tuple(place for place in complaints if any(other.startswith(f"{place}[") for other in complaints))
    return "; ".join(place + what for place, what in complaints.items() if place not in inner)


def checked(model: type[Model], mapping: Mapping[str, Any], where: str) -> Model:
    """Fill a model from a mapping.

    Parameters
    ----------
    model
        The class.
    mapping
        Values by field.
    where
        What messages call the table.

    Raises
    ------
    BadInput
        With one sentence for all that is wrong, by field and by what would be accepted.
    """
    try:
        return model.model_validate(dict(mapping))
    except ValidationError as error:
        raise BadInput(_explained(error, model, mapping, where)) from None


def stimulus_config(mapping: Mapping[str, Any]) -> StimulusConfig:
    """Return the checked configuration of a stimulus.

    Parameters
    ----------
    mapping
        ``kind`` and the fields of that kind, as in the ``[stimulus]`` table of a protocol.

    Returns
    -------
    StimulusConfig
        Its ``build(seed, device)`` makes the stimuli.

    Raises
    ------
    BadInput
        For an unknown kind, a class of a user that may not be imported, an unknown field or a value out of range.

    Examples
    --------
    >>> stimulus_config({"kind": "stereo-scenes", "n_train": 80}).n_train
    80
    >>> stimulus_config({"kind": "stereo-scenes", "n_train": 0})
    Traceback (most recent call last):
    binocular.stimuli.errors.BadInput: stimulus.n_train is 0, but must be 1 or more
    """
    if "kind" not in mapping:
        raise BadInput(f"stimulus.kind is missing; accepted are {STIMULI.accepted()}")
    return checked(STIMULI.named(str(mapping["kind"]), "stimulus.kind"), mapping, "stimulus")
