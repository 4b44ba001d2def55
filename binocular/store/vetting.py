"""Files from elsewhere are read first by a process that holds nothing, because HDF5 may crash or hang on them.

One such process serves as long as all is well; after a file that is not, the next one gets a new process. A file that
was found sound, or that this process wrote itself, is not asked about again while it stays as it is.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from binocular.stimuli.errors import CannotRead
from binocular.store import container

__all__ = ["container_problem", "trust"]

_SECONDS = 20.0  # of CPU time, so that a busy machine condemns no file
_BYTES_PER_SECOND = 5e6  # far below what sound files need
_PATIENCE = 30  # times as long by the clock: for systems that cannot limit CPU time, and disks that hang
_CRASHES = {getattr(signal, f"SIG{name}", None) for name in ("SEGV", "BUS", "ABRT", "ILL", "FPE")}
_Key = tuple[int, ...]

_lock = threading.Lock()
_sound: set[_Key] = set()
_reader: subprocess.Popen[str] | None = None
_reader_of = 0


def container_problem(path: Path) -> str | None:
    """Say what is wrong with a file as an HDF5 container; None if it may be read. See `binocular.store.container`.

    Raises
    ------
    CannotRead, OSError
        If it cannot be read now, whatever it holds: a node would be thought damaged and be reared again.
    """
    with _lock:
        key = _key(path)
        if key in _sound:
            return None
        try:
            problem = _asked(path)
        except CannotRead:  # who reads was killed, which need not happen again
            problem = _asked(path)
        if problem is None:
            _sound.add(key)
        return problem


def trust(path: Path) -> None:
    """Remember a file that this process has just written or looked into itself as sound."""
    with contextlib.suppress(OSError):
        _sound.add(_key(path))


def _key(path: Path) -> _Key:
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _asked(path: Path) -> str | None:
    reader = _started()
    seconds = _SECONDS + path.stat().st_size / _BYTES_PER_SECOND
    timer = threading.Timer(_PATIENCE * seconds, reader.kill)
    timer.daemon = True
    timer.start()
    answered = False
    try:
        assert reader.stdin is not None and reader.stdout is not None
        reader.stdin.write(json.dumps([str(path.absolute()), seconds]) + "\n")
        reader.stdin.flush()
        answer = json.loads(reader.stdout.readline())
        answered = answer is None
    except (ValueError, OSError):
        with contextlib.suppress(subprocess.TimeoutExpired):
            reader.wait(1)
        return _cause_of_death(path, reader.returncode or 0, hanging=not timer.is_alive())
    finally:
        timer.cancel()
        if not answered:  # it told a fault, died, or we were interrupted: HDF5 may be in any state there
            _dismiss()
    if isinstance(answer, int):
        raise OSError(answer, os.strerror(answer))
    return answer


def _cause_of_death(path: Path, code: int, hanging: bool) -> str:
    """Say what killed the process that read a file, if it was the file; raise `CannotRead` if not."""
    limited = hasattr(signal, "setitimer")  # by CPU time; what then takes long by the clock waits for a disk
    if code == -getattr(signal, "SIGPROF", 0) or (hanging and not limited):
        return "cannot be read: reading it did not come to an end"
    if -code in _CRASHES or code > 255:  # as Windows has it
        return "cannot be read: HDF5 failed on its damaged bytes"
    cause = "its disk does not answer" if hanging else "the process that reads it ended, perhaps for want of memory"
    raise CannotRead(f"{path} cannot be read: {cause}; the file itself may be sound")


def _started() -> subprocess.Popen[str]:
    """Return the process that reads; one that was inherited by a fork belongs to the parent."""
    global _reader, _reader_of
    if _reader is None or _reader_of != os.getpid() or _reader.poll() is not None:
        _dismiss()
        _reader = subprocess.Popen(
            [sys.executable, "-P", container.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="ascii",
            start_new_session=True,  # an interrupt from the keyboard is not for it: it would end like at a bad file
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        )
        _reader_of = os.getpid()
    return _reader


@atexit.register
def _dismiss() -> None:
    global _reader
    if _reader is not None:
        if _reader_of == os.getpid():
            _reader.kill()
            _reader.wait()
        for stream in (_reader.stdin, _reader.stdout):
            with contextlib.suppress(OSError, AttributeError):
                stream.close()  # type: ignore[union-attr]
    _reader = None
