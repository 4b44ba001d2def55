"""What the pages say can be typed, and the tables in them are those of the code."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import h5py
import numpy as np
import pytest
import typer

from binocular.cli import app
from binocular.protocols import library_names, load_protocol
from binocular.store import schema
from binocular.store.writing import write_study
from tests.synthetic import invented_conditions, invented_header

ROOT = Path(__file__).parents[1]
FILES = [path for folder in ("docs", "labs") for path in (ROOT / folder).rglob("*") if "generated" not in path.parts]
PAGES = sorted([ROOT / "README.md", *(path for path in FILES if path.suffix in (".md", ".sbatch"))])
_CODE = re.compile(r"^```(?P<language>\w*)\n(?P<block>.*?)^```|`(?P<span>[^`\n]+)`", re.MULTILINE | re.DOTALL)
_STANDS_FOR_A_PROTOCOL = re.compile(r"[A-Z]+|.*\.toml")


def command_lines(text: str) -> Iterator[list[str]]:
    """Give the arguments of every ``binocular ...`` that a page shows, in blocks and within the text."""
    for match in _CODE.finditer(text):
        if match["block"] and match["language"] not in ("", "sh", "bash"):
            continue
        lines = (match["block"] or match["span"]).replace("\\\n", " ").splitlines()
        for line in lines:
            command = re.match(r"\s*(?:\$ )?(?:\.venv/bin/)?binocular( .*)?$", line)
            if command:
                # In a table of commands the explanation follows after two spaces.
                arguments = shlex.split(re.split(r"\s{2,}", (command[1] or "").strip())[0], comments=True)
                if match["block"] or _is_meant_to_be_typed(arguments):
                    yield arguments


def _is_meant_to_be_typed(arguments: list[str]) -> bool:
    """Tell a command line within the text from the name of a command, and from the adjective."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    if len(arguments) < 2:
        return bool(arguments) and arguments[0].startswith("-")
    return arguments[0] in commands or any(word.isupper() or word.startswith("-") for word in arguments)


def check(arguments: list[str]) -> None:
    """Have the real command line parse arguments, and look up the protocol and its settings, without running it."""
    optional = re.compile(r"^\[(.*?)\](?:\.\.\.)?$")
    arguments = [optional.sub(r"\1", argument) for argument in arguments]
    group = typer.main.get_command(app)
    if not arguments or arguments[0] in ("--help", "-h"):
        return
    assert isinstance(group, typer.core.TyperGroup)
    with group.make_context("binocular", list(arguments), resilient_parsing=True) as context:
        name, command, rest = group.resolve_command(context, list(arguments))
        assert command is not None
        if {"--help", "..."} & set(rest):
            return
        with command.make_context(name, list(rest), parent=context) as parsed:
            values = parsed.params
    protocol = values.get("protocol")
    if protocol and not _STANDS_FOR_A_PROTOCOL.fullmatch(str(protocol)):
        assert protocol in library_names()
        settings = [setting for setting in values.get("settings") or [] if "=" in setting]
        load_protocol(str(protocol), settings)
    probe = values.get("probe")
    if probe and not str(probe).isupper() and not str(probe).startswith("my_"):  # those of a guide, tested with it
        from binocular.probes.registry import probe_from

        probe_from(str(probe), values.get("settings") or [])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_line_of_a_page_is_valid(page: Path):
    wrong = []
    for arguments in command_lines(page.read_text(encoding="utf-8")):
        try:
            check(arguments)
        except Exception as error:
            said = error.format_message() if isinstance(error, click.ClickException) else str(error)
            wrong.append(f"binocular {shlex.join(arguments)}: {said or type(error).__name__}")
    assert not wrong, "\n".join(wrong)


def test_there_are_command_lines_and_wrong_ones_are_found():
    found = [arguments for page in PAGES for arguments in command_lines(page.read_text(encoding="utf-8"))]
    assert len(found) > 20 and {"run", "export", "verify"} <= {arguments[0] for arguments in found if arguments}
    page = "```\nbinocular export STUDY --cvs   # no\n```\nor `binocular plod STUDY`, or `binocular run monocular`"
    wrong = list(command_lines(page))
    assert wrong == [["export", "STUDY", "--cvs"], ["plod", "STUDY"], ["run", "monocular"]]
    for arguments in [*wrong, ["run", "monocular-deprivation", "--set", "training.lrr=1"]]:
        with pytest.raises(Exception):  # noqa: B017 - whichever part of it complains
            check(arguments)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_within_the_pages_lead_somewhere(page: Path):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = [link for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if "://" not in link]
    assert not [link for link in links if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_on_the_pages_compiles(page: Path):
    for match in re.finditer(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        compile(match[1], str(page), "exec")


@pytest.mark.parametrize(
    ("page", "name", "condition"),
    [
        ("README.md", "teaching-lab", "closed-early"),
        ("docs/open-elsewhere.md", "monocular-deprivation", "deprived-early"),
    ],
)
def test_epochs_that_a_page_asks_for_are_checkpoints(page: str, name: str, condition: str):
    asked = {int(epoch) for epoch in re.findall(r"epoch == (\d+)", (ROOT / page).read_text(encoding="utf-8"))}
    protocol = load_protocol(name)
    one = next(found for found in protocol.resolved_conditions() if found.name == condition)
    assert asked and asked <= set(protocol.probes.checkpoints(one.epochs, one.phase_ends()))


def test_every_page_is_in_the_contents_of_the_site():
    """A page that no table of contents names is a warning, and so the end, of `make docs`."""
    contents = "\n".join((ROOT / "docs" / page).read_text(encoding="utf-8") for page in ("index.md", "labs.md"))
    blocks = re.findall(r"^```\{toctree\}\n(.*?)^```", contents, re.MULTILINE | re.DOTALL)
    listed = {line for block in blocks for line in block.split() if not line.startswith(":")}
    docs = ROOT / "docs"
    pages = {page.relative_to(docs).with_suffix("").as_posix() for page in PAGES if page.is_relative_to(docs)}
    assert {page for page in pages if not page.startswith("slurm")} - {"index"} <= listed
    labs = {f"generated/lab-{lab.stem}" for lab in (ROOT / "labs").glob("[0-9]-*.md")}
    assert labs <= listed


def test_the_tables_of_the_format_are_those_of_the_schema():
    source = importlib.util.spec_from_file_location("format_tables", ROOT / "docs" / "format_tables.py")
    assert source and source.loader
    module = importlib.util.module_from_spec(source)
    source.loader.exec_module(module)
    page = module.PAGE.read_text(encoding="utf-8")
    assert module.filled(page) == page, "run: python docs/format_tables.py"
    assert set(re.findall(r"<!-- table (\w+) -->", page)) == set(module.TABLES)
    assert f"binocular/{schema.VERSION}`" in page.splitlines()[0]


def test_seal_and_checksums_are_as_the_page_says(tmp_path: Path):
    path = tmp_path / "study.h5"
    write_study(path, invented_header((0,), ("normal",)), invented_conditions((0,), ("normal",)))
    content = path.read_bytes()
    data, line = content[:-117], content[-117:].decode()
    assert line == f"\nbinocular seal: {len(data):020d} bytes, sha256 {hashlib.sha256(data).hexdigest()}\n"
    with h5py.File(path) as file:
        rsv = file["conditions/normal/0/probes/representation/rsv"]
        assert isinstance(rsv, h5py.Dataset)
        rows, columns = rsv.shape
        text = f"float64 [{rows}, {columns}] ".encode() + np.asarray(rsv[()], "<f8").tobytes()
        assert rsv.attrs["checksum"] == hashlib.sha256(text).hexdigest()
        names = file["summary/vision/condition"]
        assert isinstance(names, h5py.Dataset)
        text = f"string [{len(names)}] ".encode() + b"".join(name + b"\0" for name in names[()])
        assert names.attrs["checksum"] == hashlib.sha256(text).hexdigest()


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.skipif(sys.platform == "win32", reason="no bash")
def test_the_slurm_scripts_are_valid_shell(tmp_path: Path):
    pytest.importorskip("dask_jobqueue", reason="the extra 'slurm' is not installed")
    folder = ROOT / "docs" / "slurm"
    subprocess.run(["bash", "-n", str(folder / "run.sbatch")], check=True)
    arguments = ["--print", "--queue", "short", "--cores", "4", "--walltime", "01:00:00"]
    printed = subprocess.run(
        [sys.executable, str(folder / "run_on_slurm.py"), *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
        timeout=600,
    ).stdout
    for line in ("#SBATCH -p short", "#SBATCH --cpus-per-task=4", "#SBATCH -t 01:00:00", "OMP_NUM_THREADS=1"):
        assert line in printed
    assert "--nthreads 1" in printed and "--nworkers 4" in printed and "--lifetime 3300s" in printed
    (tmp_path / "job.sh").write_text(printed)
    subprocess.run(["bash", "-n", "job.sh"], cwd=tmp_path, check=True)


def test_formulas_are_drawn_without_the_network():
    """As MathML; a command that is not known is an error and not a gap in the page."""
    pytest.importorskip("docutils", reason="the extra 'docs' is not installed")
    source = importlib.util.spec_from_file_location("formulas", ROOT / "docs" / "site_pages" / "formulas.py")
    assert source and source.loader
    module = importlib.util.module_from_spec(source)
    source.loader.exec_module(module)
    assert "<mfrac>" in module._mathml(r"\frac{a}{b}", as_block=True)
    with pytest.raises(ValueError, match="is not understood"):
        module._mathml(r"\nonsense{a}", as_block=True)


def test_every_card_of_the_first_page_has_its_picture_and_its_page(monkeypatch: pytest.MonkeyPatch):
    from binocular.protocols import DEFICITS
    from binocular.report.figures import FIGURES
    from binocular.stimuli.sheets import OVERVIEWS

    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    from site_pages.first import _CARDS, first_page

    gallery = {"figures": FIGURES, "deficits": DEFICITS, "stimuli": OVERVIEWS}
    for card in _CARDS:
        folder, _, name = card.picture.rpartition("/")
        kind, _, drawn = name.removesuffix(".png").partition("-")
        assert drawn in gallery[kind] if folder == "generated" else (ROOT / "docs" / card.picture).is_file(), card
        assert (ROOT / "docs" / f"{card.page}.md").is_file() and card.command.startswith("binocular ")
    assert first_page().count("{figure}") == len(_CARDS) == len({card.picture for card in _CARDS})
    assert "{include} generated/first-page.inc" in (ROOT / "docs" / "index.md").read_text(encoding="utf-8")


def test_the_picture_of_the_house_is_drawn_from_its_imports(tmp_path, monkeypatch):
    source = importlib.util.spec_from_file_location("house", ROOT / "docs" / "house.py")
    assert source is not None and source.loader is not None
    house = importlib.util.module_from_spec(source)
    source.loader.exec_module(house)
    monkeypatch.setattr(house, "PICTURE", tmp_path / "house.png")
    house.draw()
    assert (tmp_path / "house.png").stat().st_size > 10_000
