"""Folders on file systems that lack what is optional, and folders that lack what is needed."""

from __future__ import annotations

import errno
import fcntl
import os
import re
from pathlib import Path

import pytest

from binocular.stimuli.errors import BadInput
from binocular.store.folder import folder_lock, try_folder
from binocular.store.sealing import atomic_write

LACKING = [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EPERM, errno.EINVAL]


def refusing(code: int):
    def call(*_args: object, **_options: object) -> None:
        raise OSError(code, os.strerror(code))

    return call


@pytest.fixture(params=[None, *LACKING], ids=lambda code: errno.errorcode[code] if code else "locks")
def locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param is not None:
        monkeypatch.setattr(fcntl, "flock", refusing(request.param))


def test_a_folder_is_held_once_whatever_the_file_system_has(tmp_path: Path, locks: None):
    for _ in range(2):  # and let go of again
        with folder_lock(tmp_path / "out"):
            me = f"in use by process {os.getpid()} on "
            with pytest.raises(BadInput, match=f"^STUDY: .*{me}"), folder_lock(tmp_path / "out", "STUDY"):
                pass


def test_a_lock_file_left_by_a_kill_is_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fcntl, "flock", refusing(errno.ENOLCK))
    with folder_lock(tmp_path):
        (left,) = tmp_path.glob(".lock-*")
        record = left.read_text()
    left.write_text(record.replace(str(os.getpid()), "99999999"))
    with folder_lock(tmp_path):
        pass
    left.write_text("12\nanother machine\n34\n")
    with pytest.raises(BadInput, match=f"process 12 on another machine; .*delete {left}"), folder_lock(tmp_path):
        pass


@pytest.mark.parametrize("code", LACKING)
def test_files_are_written_without_what_is_optional(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int):
    for name in ("fsync", "chmod", "fchmod"):
        monkeypatch.setattr(os, name, refusing(code))
    monkeypatch.setattr(fcntl, "flock", refusing(code))
    try_folder(tmp_path)
    with atomic_write(tmp_path / "file") as temporary:
        temporary.write_text("whole")
    assert (tmp_path / "file").read_text() == "whole"


def test_a_flush_that_says_bytes_are_lost_is_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "fsync", refusing(errno.EIO))
    with pytest.raises(OSError), atomic_write(tmp_path / "file") as temporary:
        temporary.write_text("lost")
    assert not list(tmp_path.iterdir())


def test_any_name_can_be_written(tmp_path: Path):
    with atomic_write(tmp_path / ("x" * 255)) as temporary:
        temporary.write_text("whole")


def test_what_is_needed_at_the_end_is_tried_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    try_folder(tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["nodes"], "nothing is left of the trial"
    (tmp_path / "report.html").mkdir()
    with pytest.raises(BadInput, match=r"^--export: .*report\.html is a folder"):
        try_folder(tmp_path, "--export")
    (tmp_path / "report.html").rmdir()
    (tmp_path / "figures").touch()
    with pytest.raises(BadInput, match="figures is a file"):
        try_folder(tmp_path)
    (tmp_path / "figures").unlink()
    monkeypatch.setattr(Path, "replace", refusing(errno.EOPNOTSUPP))
    with pytest.raises(BadInput, match=r"--out: files cannot be written and replaced in .*\(Operation not supported\)"):
        try_folder(tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_hdf5_asks_for_no_locks_of_its_own():
    """It fails where a file system has none; files are replaced whole, and who writes to one is found out otherwise."""
    found = []
    for path in (Path(__file__).parents[1] / "binocular").rglob("*.py"):
        for call in re.findall(r"(?:h5py\.File|open_datatree)\([^()]*\)", path.read_text(encoding="utf-8")):
            found.append(call)
            assert re.search(r'locking"?[=:] ?False|driver="core"', call), f"{path.name}: {call}"
    assert len(found) > 4
