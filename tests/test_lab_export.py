"""The page as files: experiments reared beforehand, shown by a browser that has nothing but a folder."""

from __future__ import annotations

import csv
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from binocular.lab.exporting import export_lab
from binocular.protocols import load_protocol
from binocular.stimuli.errors import BadInput
from binocular.store.verification import verify_study
from tests.chromium import CHROMIUM, Page, chromium

TINY = ["stimulus.n_train=40", "stimulus.n_test=40", "stimulus.size=12", "network.options.width=2"]
TINY += ["training.batch_size=20", "probes.n_stimuli=6"]
SHORT = ["conditions.normal.phases[0].epochs=4", "conditions.closed-early.phases[0].epochs=2"]
SHORT += ["conditions.closed-early.phases[1].epochs=2"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    protocol = load_protocol("teaching-lab", [*TINY, *SHORT])
    protocol = protocol.model_copy(update={"conditions": protocol.conditions[:2]})
    return export_lab(protocol, tmp_path_factory.mktemp("site") / "lab", litters=2).parent


@pytest.fixture(scope="module")
def page(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromium(tmp_path_factory.mktemp("browser")) as page:
        page.resize(1280, 900)
        page.go((site / "index.html").as_uri())
        yield page
        assert page.complaints() == []
        assert {address.split(":")[0] for address in page.requested()} <= {"file", "data"}


needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")
AGES = "[...document.querySelectorAll('.column')].map((column) => column.dataset.age)"


@needs_browser
def test_the_page_opens_from_a_file_and_goes_through_age(page):
    page.wait("document.querySelectorAll('.column').length === 2")
    assert page.evaluate(AGES) == ["0", "0"]
    page.evaluate("document.getElementById('play').click()")
    page.wait("lab.age === 4 && !lab.due")
    assert page.evaluate(AGES) == ["4", "4"]
    names = page.evaluate("[...document.querySelectorAll('.name')].map((name) => name.textContent)")
    assert names == ["both eyes open, age 4", "right eye closed early, age 4"]
    page.evaluate("document.getElementById('age').focus()")
    page.press("ArrowLeft")
    page.wait("lab.age === 3 && !lab.due")
    assert page.evaluate(AGES) == ["3", "3"]
    assert "Grey: cat, normal" in page.evaluate("document.querySelector('.animal-name').textContent")


@needs_browser
def test_every_litter_of_every_experiment_can_be_chosen(page):
    assert page.evaluate("document.getElementById('file-first').options.length") == 2 * 2
    page.evaluate("""document.querySelector('[data-name="closed-early"]').click()""")
    page.wait("document.querySelector('.name').textContent.startsWith('right eye closed early')")
    # Beside an experiment stands the control of the same litter, not itself once more.
    page.wait("document.querySelectorAll('.column').length === 2 && !lab.due")
    assert page.evaluate("document.querySelectorAll('.name')[1].textContent").startswith("both eyes open")
    pressed = "[...document.querySelectorAll('#experiments [aria-pressed=true]')].map((button) => button.textContent)"
    assert page.evaluate(pressed) == ["right eye closed early"]
    rows = page.evaluate("[...document.querySelectorAll('#rows tr')].map((row) => row.cells.length)")
    assert rows == [8] * 4
    controls = "[...document.querySelectorAll('.lid, #sliders, #normal, #load')]"
    assert page.evaluate(f"{controls}.every((part) => part.offsetParent === null)")
    for width in (1280, 390):
        page.resize(width, 800)
        assert page.evaluate("document.documentElement.scrollWidth") == width


@needs_browser
def test_on_a_phone_an_experiment_and_its_effect_are_on_one_screen(page):
    page.resize(390, 660)
    page.wait("!lab.due")
    for part in ("#experiments button", "#play", ".histogram"):
        bottom = page.evaluate(f"document.querySelector('{part}').getBoundingClientRect().bottom")
        assert 0 < bottom <= 660, part


@needs_browser
def test_the_two_pathways_run_in_the_page_and_answer_to_the_keyboard(page):
    told = "document.getElementById('why-verdict').textContent"
    assert "the left pathway passes on 99 % of the answer, the right one 1 %." in page.evaluate(told)
    page.evaluate("document.getElementById('why-closed-at').focus()")
    for _ in range(3):  # a closure from 3 on: most has been learned already
        page.press("ArrowRight")
    assert "the left pathway passes on 69 % of the answer, the right one 31 %." in page.evaluate(told)
    page.press("Tab")
    for _ in range(20):
        page.press("ArrowLeft")
    assert page.evaluate("document.getElementById('why-closed-for-value').textContent") == "0"
    assert page.evaluate(told).endswith("Both have equal parts.")
    page.evaluate("[...document.querySelectorAll('#why-presets button')].at(-1).focus()")
    page.press("Enter")
    assert page.evaluate(told).endswith("The patch has brought the balance back.")
    page.evaluate("document.getElementById('why-unrelated').click()")
    assert "there is no competition" in page.evaluate(told)
    for chart in ("course", "onsets"):
        assert "in the end" in page.evaluate(f"document.getElementById('why-{chart}').getAttribute('aria-label')")


@needs_browser
def test_what_can_be_taken_away_is_there(page, site):
    names = page.evaluate("[...document.querySelectorAll('#downloads a')].map((link) => link.getAttribute('href'))")
    assert sorted(names) == ["cells.csv", "lab.toml", "study.h5"]
    assert verify_study(site / "study.h5") == []
    assert [condition.name for condition in load_protocol(site / "lab.toml").conditions] == ["normal", "closed-early"]
    with (site / "cells.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 2 * 5 * 2  # experiments, litters, ages, areas
    shown = page.evaluate("lab.file.tracks[0].frames[4].areas.first_binocular.groups")
    assert [int(rows[8][f"group_{group}"]) for group in range(1, 8)] == shown


def test_a_disk_that_is_full_in_the_middle_leaves_the_page_as_it_was(site, monkeypatch):
    before, write_text = {path.name: path.read_bytes() for path in site.glob("*.*")}, Path.write_text

    def full(path: Path, text: str, *rest: object, **options: object) -> int:
        write_text(path, text[: len(text) // 2], encoding="utf-8")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(
        Path, "write_text", lambda *a, **o: (full if a[1].startswith("window.") else write_text)(*a, **o)
    )
    protocol = load_protocol(site / "lab.toml")
    with pytest.raises(BadInput, match=r"cannot write .*data\.js: the disk is full"):
        export_lab(protocol, site, litters=2)
    after = {path.name: path.read_bytes() for path in site.glob("*.*")}
    assert after.keys() == before.keys() and after["data.js"] == before["data.js"]


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(BadInput, match="holds something else"):
        export_lab(load_protocol("teaching-lab", TINY), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(BadInput, match="is a file"):
        export_lab(load_protocol("teaching-lab", TINY), tmp_path / "thesis.txt")
