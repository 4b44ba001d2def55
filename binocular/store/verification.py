"""Whether a study is still what was written, and agrees with itself.

The seal is compared before any HDF5 code sees the file. Where it does not hold, the contents are read in a process of
their own, because HDF5 may crash or hang on damaged bytes: the verdict comes in any case.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from binocular.stimuli.errors import BadInput
from binocular.store.contents import problems_inside
from binocular.store.opening import study_file
from binocular.store.sealing import SIGNATURE, SealState, seal_state

__all__ = ["verify_study"]

_SECONDS = 30
_BYTES_PER_SECOND = 2e5  # far below what sound files need


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
    if state is SealState.WHOLE:
        return problems_inside(path)
    found = {
        SealState.BROKEN: f"{path}: its bytes are not those that were written (the seal does not match)",
        SealState.ABSENT: f"{path}: there is no seal at its end; it was cut off, or another program rewrote it",
    }[state]
    return [found, *(_contents_apart(path) if inside else [])]


def _contents_apart(path: Path) -> list[str]:
    """Check the contents in another process, which may crash."""
    code = "import sys; from binocular.store.verification import _tell; _tell(sys.argv[1])"
    search = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)],
            capture_output=True,
            timeout=_SECONDS + path.stat().st_size / _BYTES_PER_SECOND,
            env={**os.environ, "PYTHONPATH": search},
            check=False,
        )
        return list(json.loads(done.stdout))
    except subprocess.TimeoutExpired:
        return ["its contents cannot be read: reading them did not come to an end"]
    except ValueError:
        return ["its contents cannot be read: HDF5 failed on the damaged bytes"]


def _tell(path: str) -> None:
    """Print what is wrong with the contents as JSON; bounded memory, because damaged sizes can ask for any."""
    try:
        import resource

        room = (4 << 30) + 4 * Path(path).stat().st_size
        resource.setrlimit(resource.RLIMIT_AS, (room, resource.getrlimit(resource.RLIMIT_AS)[1]))
    except (ImportError, ValueError, OSError):
        pass
    sys.stdout.write(json.dumps(problems_inside(Path(path))))
    sys.stdout.flush()
    # Leave without cleaning up: HDF5 may crash once more while it closes damaged objects.
    os._exit(0)
