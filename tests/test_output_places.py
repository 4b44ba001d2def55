"""Places to write to that cannot be written, and texts of files on a terminal: one sentence, and nothing obeyed."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

import h5py
import pytest

from binocular.cli import _beside
from binocular.report.tables import print_table
from binocular.runs.changes import check_folder
from binocular.stimuli.errors import BadInput, shortened
from binocular.store.ownership import remove_leftovers
from binocular.store.places import check_output
from binocular.store.sealing import SEAL_BYTES, atomic_write, seal
from binocular.store.verification import verify_study
from binocular.store.writing import write_study
from tests.console import assert_one_sentence, binocular
from tests.synthetic import invented_conditions, invented_header, invented_tree
from tests.tiny import tiny_file

TWO = ("normal", "deprived-early")
LONG = "n" * 300


@pytest.fixture
def places(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "round").symlink_to("round")
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dangling", "is a symbolic link to nowhere, which is not there"),
        ("dangling/x", "is a symbolic link to nowhere, which is not there"),
        ("round", "is a symbolic link to round"),
        ("file", "is a file, and a folder is needed there"),
        ("file/x/y", "is a file, and a folder is needed there"),
        ("pipe", "is a pipe, and a folder is needed there"),
        (f"new/{LONG}", "names here may have up to 255 bytes"),
    ],
)
def test_what_stands_in_the_way_of_a_folder(places: Path, name: str, words: str) -> None:
    for check in (lambda path: check_output(path, "--out", folder=True), lambda path: check_folder(path, False)):
        with pytest.raises(BadInput) as refused:
            check(places / name)
        assert str(refused.value).startswith("--out: ") and words in str(refused.value)
    with pytest.raises(BadInput) as refused, atomic_write(places / name / "table.csv") as temporary:
        temporary.write_text("")
    assert words in str(refused.value), "whoever does not look beforehand says the same"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("folder", "is a folder, and a file is to be written there"),
        ("pipe", "is a pipe, and a file is to be written there"),
        ("file/x", "is a file, and a folder is needed there"),
        ("dangling/x", "is a symbolic link to nowhere"),
        (LONG, "names here may have up to 255 bytes"),
    ],
)
def test_what_stands_in_the_way_of_a_file(places: Path, name: str, words: str) -> None:
    with pytest.raises(BadInput, match=r"^--timings: ") as refused:
        check_output(places / name, "--timings", folder=False)
    assert words in str(refused.value)
    with pytest.raises(BadInput) as refused, atomic_write(places / name) as temporary:
        temporary.write_text("")
    assert words in str(refused.value)
    assert (places / "pipe").is_fifo(), "whatever is no file is not replaced, even by who may"


def test_what_can_be_written_is_nobodys_business(places: Path) -> None:
    for name in ("new", "new/er", "folder", "folder/new"):
        check_output(places / name, "--out", folder=True)
    for name in ("new", "new/er", "file", "folder/new"):
        check_output(places / name, "--out", folder=False)


@pytest.mark.parametrize(
    "command",
    [
        "run tiny.toml --out",
        "run tiny.toml --timings",
        "show tiny.toml --svg",
        "show-stimulus tiny.toml --out",
        "compare study.h5 --out",
        "export study.h5 --csv --out",
        "animate study.h5 --out",
        "bench --out",
        "lab --export",
        "reproduce kleinman-2024 --out",
    ],
)
def test_every_command_says_so_before_the_work(places: Path, study: Path, command: str) -> None:
    tiny_file(places)
    shutil.copy(study, places / "study.h5")
    before = sorted(path.name for path in places.iterdir())
    *words, option = command.split()
    refused = binocular(*words, option, "dangling/x.png", cwd=places)
    assert_one_sentence(refused, f"{option}: dangling is a symbolic link to nowhere")
    assert set(re.findall(r"--\w[\w-]*", refused.stderr)) == {option}
    assert_one_sentence(binocular(*words, option, "", cwd=places), f"{option} is empty")
    assert_one_sentence(binocular(*words, f"{option}=", cwd=places), f"{option} is empty")
    assert sorted(path.name for path in places.iterdir()) == before


@pytest.mark.parametrize(("command", "name"), [("plot", "figures"), ("measure --probe weights", "measures")])
def test_what_lies_in_the_way_beside_a_study_is_said_before_the_work(
    study: Path, tmp_path: Path, command, name
) -> None:
    shutil.copy(study, tmp_path / "study.h5")
    (tmp_path / name).write_text("mine")
    done = binocular(*command.split(), "study.h5", cwd=tmp_path)
    assert_one_sentence(done, f"STUDY: {name} is a file, and a folder is needed there")
    assert "--" not in done.stderr and "name another" not in done.stderr, "they write nowhere else"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "study.h5"])


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("places") / "study.h5"
    write_study(path, invented_header((0, 1), TWO), invented_conditions((0, 1), TWO), invented_tree())
    return path


def test_no_text_of_a_file_is_obeyed_by_a_terminal(study: Path, tmp_path: Path, capsys) -> None:
    odd = "\x1b[31mred\x9b2J\r\n\u202eback"
    path = tmp_path / "a\nb\x1b[2J.h5"
    path.write_bytes(study.read_bytes()[:-SEAL_BYTES])
    with h5py.File(path, "r+") as file:
        for owner, name in (("/", "title"), ("/", "created"), ("/", "protocol"), ("conditions/normal", "label")):
            file[owner].attrs[name] = odd
        file["tree"].attrs["units"] = odd
    seal(path)
    found = verify_study(path)
    assert found and all(line.isprintable() for line in found)
    done = binocular("verify", str(path), cwd=tmp_path)
    assert done.returncode == 1
    print_table(path)
    for text in (done.stdout, capsys.readouterr().out, binocular("verify", str(study), cwd=tmp_path).stdout):
        assert text and all(line.isprintable() for line in text.split("\n")), text


def test_a_study_in_the_way_is_named_in_one_line(tmp_path: Path, caplog) -> None:
    from binocular.runs.running import _set_aside_other_study
    from tests.tiny import tiny

    write_study(tmp_path / "study.h5", invented_header((0,), TWO, title="a\x1b[31m\nb"), invented_conditions((0,), TWO))
    _set_aside_other_study(tmp_path, tiny(tmp_path))
    assert "holds the study 'a\\x1b[31m\\nb'" in caplog.text


@pytest.mark.parametrize(
    "setting",
    [
        "network.weights='{}'",
        *(
            f"stimulus={{{{ {kind}, path = '{{}}' }}}}"
            for kind in (
                "kind = 'pictures'",
                "kind = 'split-images', dataset = 'folder'",
                "kind = 'stereo-photographs'",
            )
        ),
    ],
)
def test_a_home_that_is_not_known_is_a_folder_that_is_not_there(tmp_path: Path, setting: str) -> None:
    tiny_file(tmp_path)
    done = binocular("show", "tiny.toml", "--set", setting.format("~nobody-of-this-name/x.pt"), cwd=tmp_path)
    assert_one_sentence(done, "~nobody-of-this-name/x.pt")


def test_what_is_made_of_a_study_is_called_after_its_file() -> None:
    made = {"study.h5": "figures", "study-0f.h5": "figures-0f", "mine.h5": "figures-mine"}
    assert {name: _beside(Path(name), "figures").name for name in made} == made


def test_what_a_kill_left_in_its_folders_is_known_as_ours(tmp_path: Path) -> None:
    left = [tmp_path / ".binocular-trial-12"]
    for name in ("", "nodes", "measures", "figures", f"figures-{'0' * 16}", "comparison", "export"):
        (tmp_path / name).mkdir(exist_ok=True)
        left.append(tmp_path / name / f".binocular-{'a' * 16}.partial")
    for path in left:
        path.write_text("tri")
    check_folder(tmp_path, fresh=True)
    with atomic_write(tmp_path / "export" / "file") as temporary:
        remove_leftovers(tmp_path)
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == [temporary], "what is being written stays"
        temporary.write_text("whole")
    assert (tmp_path / "export" / "file").read_text() == "whole"


def test_a_study_is_set_aside_with_all_that_is_its_own_after_any_kill(tmp_path: Path, monkeypatch, caplog) -> None:
    from binocular.runs.running import _set_aside_other_study
    from tests.tiny import tiny

    write_study(tmp_path / "study.h5", invented_header((0,), TWO), invented_conditions((0,), TWO))
    with h5py.File(tmp_path / "study.h5") as file:
        of = str(file.attrs["protocol_hash"])
    (tmp_path / "figures").mkdir()
    for name in ("report.html", "figures/a.svg", "figures/b.svg"):
        (tmp_path / name).write_text(f"<svg>binocular-lab, protocol {of}</svg>")
    replace, protocol = Path.replace, tiny(tmp_path)

    def once(path: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "replace", killed)
        return replace(path, target)

    def killed(*_: object) -> Path:
        raise KeyboardInterrupt

    for _ in range(4):
        monkeypatch.setattr(Path, "replace", once)
        with suppress(KeyboardInterrupt):
            _set_aside_other_study(tmp_path, protocol)
    there = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    figures = {f"figures-{of}/{name}.svg" for name in "ab"}
    assert there == {"tiny.toml", f"study-{of}.h5", f"report-{of}.html"} | figures


def test_a_fault_of_the_program_itself_is_one_line_too(tmp_path: Path, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("first\n\x1b[31msecond")

    monkeypatch.setattr("binocular.store.opening.study_file", fail)
    done = binocular("verify", "x", cwd=tmp_path)
    assert done.returncode == 70 and done.stderr.count("\n") == 1 and "\x1b" not in done.stderr
    assert shortened("\u2067a") == "\\u2067a"
