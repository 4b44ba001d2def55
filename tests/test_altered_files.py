"""Altered HDF5 files of every kind: one sentence each, by whoever reads them, and nothing outside them is followed."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from h5py import h5d, h5s, h5t

from binocular.probes.registry import probe_type
from binocular.runs.changes import check_folder
from binocular.runs.running import run_study
from binocular.stimuli.errors import BadInput, CannotRead
from binocular.store import opening, vetting
from binocular.store.container import problem_of
from binocular.store.exports import export_csv
from binocular.store.measures import measure_path, measures_of, write_measure
from binocular.store.node_index import NodeIndex
from binocular.store.opening import open_study, opened
from binocular.store.records import MeasureRecord
from binocular.store.sealing import SEAL_BYTES, seal
from binocular.store.snapshots import NodeRecord, node_path, read_node
from binocular.store.study import load_study
from binocular.store.verification import verify_study
from binocular.store.writing import write_study
from tests.synthetic import invented_conditions, invented_header, invented_tree
from tests.tiny import tiny

TWO = ("normal", "deprived-early")
SUBJECT = "conditions/deprived-early/1"
PROBES = f"{SUBJECT}/probes/representation"
HISTORY = f"{SUBJECT}/history"
Alter = Callable[[h5py.File], object]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("altered") / "study.h5"
    failures = {("normal", 2): "out of memory"}
    write_study(path, invented_header((0, 1), TWO), invented_conditions((0, 1), TWO), invented_tree(), failures)
    return path


def altered(study: Path, path: Path, alter: Alter) -> Path:
    path.write_bytes(study.read_bytes()[:-SEAL_BYTES])
    with h5py.File(path, "r+") as file:
        alter(file)
    seal(path)
    return path


def instead(name: str, **made: object) -> Alter:
    """Put another data set in the place of one."""

    def alter(file: h5py.File) -> None:
        del file[name]
        file.create_dataset(name, **made)

    return alter


def attribute(name: str, key: str, value: object) -> Alter:
    return lambda file: file[name].attrs.__setitem__(key, value)


def link(name: str, target: object) -> Alter:
    def alter(file: h5py.File) -> None:
        if name in file:
            del file[name]
        file[name] = target

    return alter


def cycle(file: h5py.File) -> None:
    file[f"{HISTORY}/again"] = file["conditions"]


def deep(file: h5py.File) -> None:
    file.create_group("/".join([PROBES, *["deeper"] * 400]))


def wide(file: h5py.File) -> None:
    for index in range(10_001):
        file.create_group(f"conditions/c{index}", track_order=False)


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((5, 32), "f8")
    layout[:] = h5py.VirtualSource("/etc/hostname", "rsv", (5, 32))
    del file[f"{PROBES}/rsv"]
    file.create_virtual_dataset(f"{PROBES}/rsv", layout)


def never_written(file: h5py.File) -> None:
    del file[f"{PROBES}/rsv"]
    file.create_dataset(f"{PROBES}/rsv", (20_000, 20_000), "f8", chunks=(1000, 1000))


def zeros(file: h5py.File) -> None:
    """Declare 200 MB and store next to nothing."""
    del file[f"{PROBES}/rsv"]
    file.create_dataset(f"{PROBES}/rsv", data=np.zeros((5000, 5000)), chunks=(5000, 500), compression="gzip")


def null(file: h5py.File) -> None:
    del file[f"{HISTORY}/train_loss"]
    h5d.create(file[HISTORY].id, b"train_loss", h5t.IEEE_F64LE, h5s.create(h5s.NULL))


def named_type(file: h5py.File) -> None:
    file[f"{HISTORY}/kind"] = np.dtype("f8")


def not_utf8(file: h5py.File) -> None:
    del file["failures/cause"]
    file.create_dataset("failures/cause", data=np.array([b"\xff\xfe"], dtype=object), dtype=h5py.string_dtype())


CONTAINER: dict[str, tuple[Alter, str]] = {
    "external link": (link(SUBJECT, h5py.ExternalLink("other.h5", "/")), "links to other places"),
    "soft link": (link("tree", h5py.SoftLink("/conditions")), "links to other places"),
    "external storage": (
        instead(f"{PROBES}/rsv", shape=(5, 32), dtype="f8", external=[("/etc/hostname", 0, 1280)]),
        "other files",
    ),
    "virtual": (virtual, "other files"),
    "a group that holds itself": (cycle, "several names"),
    "very deep": (deep, "deeper than"),
    "very wide": (wide, "objects in one group"),
    "declared and not there": (never_written, "declares 3200000000 bytes"),
    "declared and packed": (zeros, "declares"),
    "without values": (null, "without values"),
    "records": (instead(f"{PROBES}/rsv", data=np.zeros(5, [("a", "f8"), ("b", "i4")])), "neither numbers nor text"),
    "variable length": (
        instead(f"{PROBES}/rsv", shape=(5, 32), dtype=h5py.vlen_dtype(np.float64)),
        "neither numbers nor text",
    ),
    "references": (instead(f"{PROBES}/rsv", shape=(5,), dtype=h5py.ref_dtype), "neither numbers nor text"),
    "a type with a name": (named_type, "neither a group nor a data set"),
    "packed otherwise": (instead(f"{PROBES}/rsv", data=np.zeros((5, 32)), compression="lzf"), "unknown way"),
    "huge chunks": (
        instead(f"{PROBES}/rsv", shape=(1, 1), dtype="f8", maxshape=(None, None), chunks=(20_000, 20_000)),
        "rsv",
    ),
    "a name with a line break": (lambda file: file.create_group("conditions/a\nb"), "not printable"),
    "text that is none": (not_utf8, "not UTF-8"),
    "many attributes": (
        lambda file: [file[SUBJECT].attrs.__setitem__(f"a{index}", index) for index in range(201)],
        "more than 200 attributes",
    ),
}
# Asked of the process that reads, which starts anew after each of them; of the others the same function answers here.
ELSEWHERE = {"very deep", "declared and not there", "declared and packed", "huge chunks", "text that is none"}
CONTENTS: dict[str, Alter] = {
    "a list for text": attribute("/", "treated_eye", ["left", "right"]),
    "a number for text": attribute("/", "protocol", 3.5),
    "a table for text": attribute("conditions/normal", "values", np.zeros((3, 3))),
    "bytes for text": attribute("conditions/normal", "label", np.array([b"a", b"b"])),
    "empty for text": attribute(SUBJECT, "phases", h5py.Empty("f8")),
    "text for a number": attribute(SUBJECT, "seed", "one"),
    "numbers for a number": attribute(SUBJECT, "seed", np.arange(4)),
    "a reference for text": lambda file: file.attrs.__setitem__("versions", file["tree"].ref),
    "no attribute": lambda file: file[SUBJECT].attrs.__delitem__("subject_id"),
    "JSON of another shape": attribute(SUBJECT, "phases", "[3]"),
    "JSON without end": attribute(SUBJECT, "phases", "[" * 100_000),
    "values of another shape": attribute("conditions/normal", "values", "[1]"),
    "no checkpoints": instead(f"{PROBES}/rsv", shape=(0, 32), dtype="f8"),
    "one number for a table": instead(f"{PROBES}/rsv", data=0.5),
    "transposed": instead(f"{PROBES}/rsv", data=np.zeros((32, 5))),
    "text for numbers": instead(f"{PROBES}/rsv", data=np.full((5, 32), "a", dtype=object), dtype=h5py.string_dtype()),
    "whole numbers for numbers": instead(f"{HISTORY}/train_loss", data=np.zeros(12, np.int16)),
    "a group for numbers": lambda file: (file.__delitem__(f"{PROBES}/rsv"), file.create_group(f"{PROBES}/rsv")),
    "numbers for a group": instead(HISTORY, data=np.zeros(3)),
    "numbers for a condition": lambda file: file.create_dataset("conditions/x", data=1),
    "no conditions": lambda file: file.__delitem__("conditions"),
    "a seed that is none": lambda file: file.move(SUBJECT, "conditions/deprived-early/one"),
    "a phase that is not there": instead(f"{HISTORY}/phase", data=np.full(12, 99)),
    "failures of other lengths": instead("failures/seed", data=np.arange(50)),
}
READERS: dict[str, Callable[[Path, Path], object]] = {
    "load": lambda path, folder: load_study(path),
    "export": lambda path, folder: export_csv(path, folder),
}


def one_sentence(told: str, path: Path) -> str:
    assert str(path) in told and "\n" not in told and len(told) < 700, told
    return told


@pytest.mark.parametrize("kind", CONTAINER)
def test_a_container_that_is_not_fit_is_refused_by_one_reader(study: Path, tmp_path: Path, kind: str, monkeypatch):
    alter, message = CONTAINER[kind]
    path = altered(study, tmp_path / "study.h5", alter)
    found = problem_of(path)
    assert found is not None and message in found and "\n" not in found
    if kind not in ELSEWHERE:
        monkeypatch.setattr(vetting, "_asked", problem_of)
    with pytest.raises(BadInput) as refused, opened(path):
        pass
    assert found.removeprefix("cannot be read") in one_sentence(str(refused.value), path)


def test_whoever_reads_says_so(study: Path, tmp_path: Path):
    path = altered(study, tmp_path / "study.h5", CONTAINER["external link"][0])
    for read in (*READERS.values(), lambda path, _: open_study(path)):
        with pytest.raises(BadInput, match="links to other places"):
            read(path, tmp_path / "export")
    assert len(verify_study(path)) == 1 and "links to other places" in verify_study(path)[0]
    assert not (tmp_path / "export").exists()


@pytest.mark.parametrize("kind", CONTENTS)
def test_contents_of_another_kind_are_one_sentence(study: Path, tmp_path: Path, kind: str):
    path = altered(study, tmp_path / "study.h5", CONTENTS[kind])
    assert all("\n" not in line for line in verify_study(path)) and verify_study(path)
    for read in READERS.values():
        with pytest.raises(BadInput) as refused:
            read(path, tmp_path / "export")
        one_sentence(str(refused.value), path)
    assert not list(tmp_path.rglob("*.csv"))


def test_damaged_bytes_under_a_new_seal_end_in_a_sentence_or_in_the_same_numbers(study: Path, tmp_path: Path):
    rng = np.random.default_rng(11)
    whole = np.frombuffer(study.read_bytes()[:-SEAL_BYTES], np.uint8)
    headers = np.flatnonzero((whole[:-3] == ord("O")) & (whole[1:-2] == ord("H")) & (whole[2:-1] == ord("D")))
    path = tmp_path / "study.h5"
    for at in [*rng.choice(headers, 5, replace=False), *rng.integers(0, len(whole) - 40, 3)]:
        spoilt = whole.copy()
        spoilt[at + 4 : at + 20] = rng.integers(0, 256, 16)
        path.write_bytes(spoilt.tobytes())
        seal(path)
        for line in verify_study(path):
            assert "\n" not in line
        try:
            load_study(path)
        except BadInput as error:
            one_sentence(str(error), path)


def test_what_is_no_file_is_not_opened(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    os.mkfifo(tmp_path / "pipe.h5")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.h5")
    (tmp_path / "device.h5").symlink_to("/dev/zero")
    (tmp_path / "folder" / "study.h5").mkdir(parents=True)
    (tmp_path / "round.h5").symlink_to("round.h5")
    for name, message in (
        ("pipe.h5", "is a pipe"),
        ("socket.h5", "is a socket"),
        ("device.h5", "is a device"),
        ("folder", "is a folder"),
        ("x" * 300, "File name too long; expected a study.h5"),
        ("round.h5", "cannot be read|does not exist"),
        ("no\0name", "does not exist"),
    ):
        for read in (verify_study, load_study):
            with pytest.raises(BadInput, match=message):
                read(tmp_path / name)


def test_a_file_that_is_being_written_is_open_elsewhere_and_not_damaged(study: Path, tmp_path: Path):
    path = tmp_path / "study.h5"
    shutil.copy(study, path)
    with h5py.File(path, "r+", locking=True) as file:
        file.attrs["note"] = "mine"
        for read in (verify_study, load_study):
            with pytest.raises(BadInput, match="is open in another program"):
                read(path)
    assert load_study(path).title


def test_a_study_that_xarray_wrote_again_is_read_as_before(study: Path, tmp_path: Path):
    path = tmp_path / "study.h5"
    single = tmp_path / "single.h5"
    write_study(single, invented_header((0,), TWO, finished=""), invented_conditions((0,), TWO), invented_tree())
    with open_study(single) as tree:
        tree.load().to_netcdf(path)
    before, after = load_study(single), load_study(path)
    assert after.attributes["seeds"] == [0] and after.attributes["finished"] == ""
    for one, other in zip(before.conditions, after.conditions, strict=True):
        assert (one.name, one.label, one.subjects[0].seed) == (other.name, other.label, other.subjects[0].seed)
        for name, values in one.subjects[0].history.items():
            np.testing.assert_array_equal(values, other.subjects[0].history[name])
    export_csv(path, tmp_path / "export")


def test_nodes_and_measures_come_by_the_same_reader(tmp_path: Path):
    node, measured = tmp_path / f"{'a' * 16}.h5", measure_path(tmp_path, "subject", "fisher")
    NodeRecord("a" * 16, "", 0, 0, 1, "{}", 1, history={"epoch": np.array([1])}).write(node)
    traces = {name: np.zeros((1, 1)) for name in ("fisher_trace", "fisher_trace_se")}
    values = {"part": np.array(["all"], dtype=object), "n_weights": np.ones((1, 1), np.int64), **traces}
    write_measure(
        measured, "subject", {("fisher", "network"): MeasureRecord(np.array([0]), values, probe_type("fisher").columns)}
    )
    assert read_node(node) is not None and measures_of(measured.parent, "subject")
    alterations = (link("more", h5py.ExternalLink("other.h5", "/")), attribute("/", "identity", [1, 2]))
    other = tmp_path / "altered" / node.name
    other.parent.mkdir()
    for alter in alterations:
        assert read_node(altered(node, other, alter)) is None
    altered(measured, measured, alterations[0])
    with pytest.raises(BadInput, match="measure again"):
        measures_of(measured.parent, "subject")


@pytest.mark.parametrize("times", [1, 2])
def test_a_reader_that_somebody_kills_condemns_no_file(study: Path, tmp_path: Path, monkeypatch, times: int):
    path, started, killed = tmp_path / "copy.h5", vetting._started, []
    path.write_bytes(study.read_bytes())

    def dies():
        reader = started()
        if len(killed) < times:
            killed.append(reader.kill())
            reader.wait()
        return reader

    monkeypatch.setattr(vetting, "_started", dies)
    if times == 1:
        assert vetting.container_problem(path) is None
    else:
        with pytest.raises(CannotRead, match="perhaps for want of memory; the file itself may be sound"):
            vetting.container_problem(path)


@pytest.mark.parametrize(
    ("place", "error"),
    [
        ("pathlib.Path.open", OSError(errno.EMFILE, "!")),
        ("pathlib.Path.stat", OSError(errno.EIO, "!")),
        ("subprocess.Popen", OSError(errno.ENOMEM, "!")),
        ("h5py.File", OSError(errno.EIO, "!")),
        ("binocular.store.snapshots._facts", KeyError("file read failed: errno = 5, error message = 'Input/output'")),
        ("binocular.store.snapshots._facts", MemoryError()),
    ],
)
def test_what_fails_for_the_moment_condemns_no_node(tmp_path: Path, monkeypatch, place: str, error: Exception):
    path = node_path(tmp_path, "a" * 24)
    NodeRecord("a" * 24, "", 0, 0, 1, "{}", 1, history={"epoch": np.array([1])}).write(path)
    as_written, index = path.read_bytes(), NodeIndex(tmp_path)
    vetting._dismiss()
    vetting._sound.clear()

    def fails(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(place, fails)
        for read in (lambda: read_node(path), lambda: index.entry("a" * 24)):
            with pytest.raises((CannotRead, OSError)):
                read()
        if place == "pathlib.Path.open":
            for read in (lambda: check_folder(tmp_path, fresh=False), lambda: NodeIndex(tmp_path)):
                with pytest.raises(OSError):
                    read()
    assert path.read_bytes() == as_written and index.entry("a" * 24) is not None


@pytest.mark.parametrize(
    ("place", "error"),
    [
        ("h5py.Dataset.__getitem__", OSError(errno.EIO, "!")),
        ("h5py.Group.__getitem__", KeyError("file read failed: errno = 5, error message = 'Input/output'")),
    ],
)
def test_a_disk_that_fails_inside_a_study_does_not_make_it_unsound(study: Path, monkeypatch, place: str, error):
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(place, fails)
    for read in (load_study, verify_study):
        with pytest.raises(CannotRead, match="Input/output error; the file itself may be sound"):
            read(study)


def test_what_fails_for_the_moment_ends_a_run_and_nothing_is_done_over(tmp_path: Path, monkeypatch):
    protocol = tiny(tmp_path, "probes.also=[]", "conditions.late.phases.0.epochs=1")
    study = run_study(protocol, tmp_path / "out", "cpu").study
    (tmp_path / "out" / "nodes" / "index.json").unlink()
    with h5py.File(study, "r+") as file:
        file.attrs["note"] = "mine"
    whole = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.h5")}
    other = protocol.model_copy(update={"title": "Other"})
    for asked in (protocol, other):
        with monkeypatch.context() as patch:
            patch.setattr(opening, "container_problem", refusing)
            vetting._sound.clear()
            with pytest.raises(CannotRead, match="Too many open files; the file itself may be sound"):
                run_study(asked, tmp_path / "out", "cpu")
            with pytest.raises(CannotRead):
                verify_study(study)
        assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.h5")} == whole


def refusing(*_: object) -> None:
    raise OSError(errno.EMFILE, "Too many open files")


def test_a_file_found_sound_is_asked_about_again_only_once_it_changed(study: Path, tmp_path: Path, monkeypatch):
    path = tmp_path / "study.h5"
    shutil.copy(study, path)
    asked: list[Path] = []
    monkeypatch.setattr(vetting, "_asked", lambda path: asked.append(path))
    for _ in range(3):
        load_study(path)
    assert asked == [path]
    with h5py.File(path, "r+") as file:
        file.attrs["note"] = json.dumps("mine")
    load_study(path)
    assert asked == [path, path]
