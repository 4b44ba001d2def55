"""The report is one page that needs nothing else and escapes everything."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from binocular.report.figures import draw_all
from binocular.report.page import report_page, write_report
from binocular.stimuli.errors import BadInput
from binocular.store.study import load_study
from binocular.store.writing import ConditionHeader, write_study
from tests.synthetic import invented_conditions, invented_header

HOSTILE = "<script src='https://example.org/x.js'>alert(1)</script> & \" '"
PROTOCOL = f"""title = "t"
description = '''{HOSTILE}'''
reference = "Wiesel & Hubel 1963"
deviations = ["epochs, not weeks <b>"]
"""


class Page(HTMLParser):
    """Collects tags, what they point to, and text; notices tags that are not closed."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.sources: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [str(value) for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    subjects = invented_conditions((0, 1), ("normal", "deprived-early"))
    header = invented_header(
        (0, 1),
        title=HOSTILE,
        protocol=PROTOCOL,
        command=HOSTILE,
        device=HOSTILE,
        versions={HOSTILE: HOSTILE},
        conditions=[ConditionHeader("normal", HOSTILE), ConditionHeader("deprived-early", "deprived early")],
    )
    for subject in subjects:
        subject.phases[0]["description"] = HOSTILE
    write_study(folder / "study.h5", header, subjects, failures={("normal", 7): HOSTILE})
    return folder


def test_the_page_is_self_contained_and_escaped(folder: Path):
    path = write_report(folder / "study.h5", folder / "sub" / "report.html")
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert "script" not in page.tags
    assert len(page.sources) == 4
    assert all(source.startswith("data:image/svg+xml;base64,") for source in page.sources)
    without_pictures = re.sub(r'src="data:[^"]*"', "", text)
    assert "@import" not in without_pictures and "url(" not in without_pictures
    assert HOSTILE not in text
    assert page.text.count(HOSTILE) >= 8


def test_figures_that_were_drawn_are_not_drawn_again(folder: Path, tmp_path: Path):
    drawn = draw_all(folder, tmp_path)
    page = Page(report_page(load_study(folder), drawn))
    for source, path in zip(page.sources, (path for path in drawn if path.suffix == ".svg"), strict=True):
        assert base64.b64decode(source.split(",", 1)[1]) == path.read_bytes()


def test_the_page_says_what_a_reader_needs(folder: Path):
    text = " ".join(Page(report_page(load_study(folder))).text.split())
    for part in (
        "2 conditions · 4 subjects · right eye treated · 1 May 2024",
        "Follows Wiesel & Hubel 1963.",
        "This study is incomplete",
        "normal, seed 7",
        "95 % t interval over seeds",
        "0–4 ",
        "epochs, not weeks <b>",
        'reference = "Wiesel & Hubel 1963"',
        "0123456789abcdef",
        "+1 left eye only, -1 right eye only",
    ):
        assert part in text, part


def test_a_single_seed_is_said_to_have_no_interval(tmp_path: Path):
    write_study(
        tmp_path / "study.h5",
        invented_header((0,), ("normal",), finished="", protocol=""),
        invented_conditions((0,), ("normal",), tasks=()),
    )
    text = Page(report_page(load_study(tmp_path))).text
    assert "no interval can be given" in text and "[" not in text.split("Conditions")[1].split("Means over")[0]
    assert "not yet" in text and "incomplete" not in text


def test_a_study_without_subjects_has_a_report(tmp_path: Path):
    write_study(tmp_path / "study.h5", invented_header(), [])
    assert "incomplete" in report_page(load_study(tmp_path))


def test_no_study_no_page(tmp_path: Path):
    with pytest.raises(BadInput, match="does not exist"):
        write_report(tmp_path / "study.h5", tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []
