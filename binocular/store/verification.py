"""Whether a study is still what was written, and agrees with itself.

The seal is compared before any HDF5 code sees the file; then all of it is read once by a process of its own, because
HDF5 may crash or hang on damaged bytes: the verdict comes in any case (see `binocular.store.vetting`).
"""

from __future__ import annotations

from pathlib import Path

from binocular.stimuli.errors import BadInput
from binocular.store.contents import problems_inside
from binocular.store.opening import study_file
from binocular.store.sealing import SIGNATURE, SealState, seal_state

__all__ = ["verify_study"]


def verify_study(path: Path | str, inside: bool = True) -> list[str]:
    """Check a study from its bytes to the agreement of its numbers.

    Bytes: the seal (see `binocular.store.sealing`). Form: schema, every dataset there with its dimensions, type, units
    and range. Values: a checksum per dataset and one per group of attributes. Agreement: groups and silent units add up
    to the units; every index, the summary and ``complete`` are computed again from what they were computed from.

    Parameters
    ----------
    path
        A ``study.h5``, or the folder that holds one.
    inside
        Look inside a file whose bytes have changed, to say what is affected; takes a second more.

    Returns
    -------
    list of str
        One sentence per fault; empty if the study is sound.

    Raises
    ------
    BadInput
        If there is no such file.
    """
    path = study_file(path)
    try:
        with path.open("rb") as file:
            if file.read(len(SIGNATURE)) != SIGNATURE:
                return [f"{path} is not an HDF5 file, or its beginning is damaged"]
        state = seal_state(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}") from error
    found = {
        SealState.WHOLE: [],
        SealState.BROKEN: [f"{path}: its bytes are not those that were written (the seal does not match)"],
        SealState.ABSENT: [f"{path}: there is no seal at its end; it was cut off, or another program rewrote it"],
    }[state]
    return found + (problems_inside(path) if state is SealState.WHOLE or inside else [])
