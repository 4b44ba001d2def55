"""Safe replacement and the seal."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binocular.stimuli.errors import BadInput
from binocular.store.sealing import SEAL_BYTES, SealState, atomic_write, remove_leftover, seal, seal_state


def test_a_new_file_appears_whole(tmp_path: Path):
    path = tmp_path / "a" / "b" / "file.txt"
    with atomic_write(path) as temporary:
        assert temporary.parent == path.parent
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert [entry.name for entry in path.parent.iterdir()] == ["file.txt"]


@pytest.mark.parametrize("failure", [RuntimeError("no"), KeyboardInterrupt()])
def test_after_an_exception_the_old_file_stands(tmp_path: Path, failure: BaseException):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(type(failure)), atomic_write(path) as temporary:
        temporary.write_text("half")
        raise failure
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.txt"]


def test_a_full_disk_is_one_sentence(tmp_path: Path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(BadInput, match="disk is full"), atomic_write(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.txt"]


def test_a_folder_that_cannot_be_one(tmp_path: Path):
    (tmp_path / "file.txt").write_text("x")
    with pytest.raises(BadInput, match="cannot write"), atomic_write(tmp_path / "file.txt" / "study.h5"):
        pass
    with pytest.raises(BadInput, match="is a folder"), atomic_write(tmp_path):
        pass


def test_what_kills_left_beside_a_file_goes_when_the_next_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    left, mine = tmp_path / f".binocular-{'a' * 16}.partial", tmp_path / ".binocular-notes.partial"
    left.write_text("half")
    mine.write_text("mine")
    with atomic_write(tmp_path / "one") as being_written:
        assert not left.exists()
        with atomic_write(tmp_path / "other") as temporary:
            temporary.write_text("whole")
        being_written.write_text("whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [mine.name, "one", "other"]

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", refuse)  # where there are no locks, nobody knows who is writing
    with atomic_write(tmp_path / "one") as being_written:
        with atomic_write(tmp_path / "other") as temporary:
            temporary.write_text("again")
        being_written.write_text("again")
    assert (tmp_path / "one").read_text() == (tmp_path / "other").read_text() == "again"


def test_a_file_that_is_taken_for_a_leftover_before_it_is_locked_is_begun_again(tmp_path: Path, monkeypatch):
    flock, calls = fcntl.flock, []

    def swept(file, how: int) -> None:
        if how & fcntl.LOCK_SH:
            calls.append(Path(file.name))
            if len(calls) == 1:
                remove_leftover(calls[0])
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", swept)
    with atomic_write(tmp_path / "file") as temporary:
        temporary.write_text("whole")
    assert len(calls) == 2 and [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_new_file_has_ordinary_permissions(tmp_path: Path):
    with atomic_write(tmp_path / "file") as temporary:
        temporary.write_text("x")
    (tmp_path / "other").write_text("x")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "other").stat().st_mode


@given(content=st.binary(max_size=400), data=st.data())
def test_any_changed_byte_and_any_cut_breaks_the_seal(tmp_path_factory: pytest.TempPathFactory, content: bytes, data):
    path = tmp_path_factory.mktemp("seal") / "file"
    path.write_bytes(content)
    assert seal_state(path) is SealState.ABSENT
    seal(path)
    assert seal_state(path) is SealState.WHOLE
    sealed = path.read_bytes()
    assert len(sealed) == len(content) + SEAL_BYTES

    at = data.draw(st.integers(0, len(sealed) - 1))
    flipped = bytearray(sealed)
    flipped[at] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(flipped)
    assert seal_state(path) is SealState.BROKEN

    path.write_bytes(sealed[: data.draw(st.integers(0, len(sealed) - 1))])
    assert seal_state(path) is not SealState.WHOLE
