"""Reproducing claims: verdicts, taking up, what is not run, and pages, with needs that take no time."""

from __future__ import annotations

import io
import json
import math
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

from binocular.papers.claims import Evidence, Finding, Row
from binocular.papers.costs import duration_words, pieces_until, whole_words
from binocular.papers.looks import Looks
from binocular.papers.needs import Measure
from binocular.papers.numbers import dominance, over, swept, worst
from binocular.papers.pages import as_plain, markdown_page, write_pages
from binocular.papers.presenting import criterion_words, evidence_cells, print_result, print_summary
from binocular.papers.registry import PAPERS, chosen_claims, paper_named
from binocular.papers.reproducing import reproduce
from binocular.report.showing import planned_tree
from binocular.stimuli.errors import BadInput
from binocular.store.statistics import Interval, exact, interval
from tests.console import ROOT, assert_one_sentence, binocular
from tests.made_claims import PAPER, Numbers, claim, rsv_claim, run, study_need
from tests.made_studies import Made, made_study
from tests.patience import wait_until


def test_a_verdict_follows_from_the_rows():
    def row(low: float, high: float, **bounds: Any) -> Evidence:
        return Evidence("x", "", Interval((low + high) / 2, low, high, 3), **bounds)

    holds, fails, undecided = row(0.3, 0.4, at_least=0.2), row(0, 0.1, at_least=0.2), row(0.1, 0.3, at_least=0.2)
    assert Finding("x", (holds, undecided)).verdict == "undecided" and Finding("x").verdict == "not run"
    assert Finding("x", (undecided, fails, holds)).verdict == "does not hold"
    assert (
        row(0.3, 0.4, role="context").verdict is None
        and Finding("x", (row(0, 0, role="context"),)).verdict == "not run"
    )
    control = row(0.3, 0.4, at_most=0.1, role="control")
    assert Finding("x", (holds, control)).verdict == "does not hold", "a control kills a claim"
    with pytest.raises(ValueError, match="criterion"):
        Row("x", lambda had: exact(1))
    with pytest.raises(TypeError, match="verdict"):
        Finding("x", verdict="holds")  # type: ignore[call-arg]


def test_a_row_is_told_for_each_coordinate_of_its_number():
    values = xr.DataArray([[1.0, 2.0], [3.0, np.nan]], {"end": [5, 10], "seed": [0, 1]}, ("end", "seed"))
    row = Row("shift by {unit}, to {end}", lambda had: values, "context", published=lambda had: {5: "a", 10: "b"})
    first, second = row.evidence({}, {"unit": "cells"})
    assert (first.what, first.published, first.ours.mean) == ("shift by cells, to 5", "a", 1.5)
    assert (second.what, second.published, second.ours.mean, second.ours.n) == ("shift by cells, to 10", "b", 3.0, 1)
    assert list(Row("x", lambda had: None, "context").evidence({}, {})) == []


def test_differences_are_paired_by_seed():
    first, second = (
        xr.DataArray(v, {"seed": s}, ("seed",)) for v, s in (([1.0, 2, 9], [0, 1, 2]), ([1, 0, 5], [1, 0, 7]))
    )
    (found,) = Row("x", lambda had: 100 * (first - second), "context").evidence({}, {})
    assert found.ours == interval([100, 100])
    assert worst([0.1, 0.3]) == exact(0.3, 2) and np.isnan(worst([0.1, np.nan]).mean)


def test_seeds_of_conditions_are_put_side_by_side():
    study = made_study("x", {f"blurred-{end}": Made(values={"removal": end}) for end in (20, 0)})
    longer = replace(study.conditions[0], subjects=study.conditions[0].subjects[1:])
    study = replace(study, conditions=(longer, *study.conditions[1:]))
    found = over(study, "blurred-*", lambda condition, subject: subject.seed + condition.values["removal"])
    assert list(found["removal"]) == [0, 20] and found.sel(removal=20, seed=4) == 24
    assert np.isnan(found.sel(removal=20, seed=0)) and interval(found[1] - found[0]).n == 4
    with pytest.raises(KeyError, match="without a deficit"):
        swept(made_study("x", {"blurred-20": Made(values={"removal": 20})}), "blurred")


def test_bounds_are_printed_without_losing_them():
    row = Evidence("x", "", exact(0.2), at_least=-0.125, at_most=1e-6)
    assert criterion_words(row) == "≥ −0.125 and ≤ 1e−06"


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (-0.23, -0.0014, "−0.116 [−0.230, −0.001]"),
        (-0.23, 0.0, "−0.12 [−0.23, 0.00]"),
        (-0.23, 0.004, "−0.116 [−0.230, 0.004]"),
    ],
)
def test_an_end_close_to_a_bound_shows_its_side(low, high, words):
    row = Evidence("x", "", Interval(-0.116, low, high, 10, "t"), at_least=0.0, look=10)
    assert evidence_cells(row)[2] == f"{words} at 10 seeds"


def test_needs_are_obtained_once_and_the_verdict_flips_with_the_data(tmp_path):
    shared = Numbers()
    found = run(tmp_path, claim(shared), claim(shared, "again"), claim(Numbers("less", (-0.3, -0.31, -0.35)), "less"))
    assert [result.finding.verdict for result in found.results] == ["holds", "holds", "does not hold"]
    assert shared.calls == ["numbers"] and not found.faults


def test_what_cannot_be_had_is_not_run_and_what_fails_is_told(tmp_path):
    absent = Numbers("absent", error=BadInput("CIFAR-10 is not here"))
    broken = Numbers("broken", error=RuntimeError("out of memory"))
    found = run(tmp_path, claim(absent), claim(absent, "twin"), claim(broken, "broken"), claim(Numbers(), "last"))
    verdicts = [result.finding.verdict for result in found.results]
    assert verdicts == ["not run", "not run", "not run", "holds"], "one that fails does not stop the others"
    assert found.results[0].finding.reason == "CIFAR-10 is not here" and absent.calls == ["absent"]
    assert len(found.faults) == 1 and "out of memory" in found.faults[0]
    paper = run(tmp_path, claim(Numbers(), absent={"paper": "nobody can"}), scale="paper")
    assert paper.results[0].finding.reason == "nobody can" and not paper.faults


def test_a_stop_keeps_what_is_done(tmp_path):
    done, stopped = Numbers("done"), Numbers("stopped", error=None)
    object.__setattr__(stopped, "error", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, claim(done), claim(stopped, "stopped"))
    spent = json.loads((tmp_path / "spent.json").read_text())
    assert set(spent) == {"done", "stopped"}
    object.__setattr__(stopped, "error", None)
    found = run(tmp_path, claim(done), claim(stopped, "stopped"))
    assert [result.finding.verdict for result in found.results] == ["holds", "holds"]
    assert json.loads((tmp_path / "spent.json").read_text())["stopped"] >= spent["stopped"]


def test_the_time_of_what_was_brought_from_elsewhere_is_not_known(tmp_path):
    (tmp_path / "brought").mkdir()
    for _ in range(2):
        found = run(tmp_path, claim(Numbers("brought")), claim(Numbers("made"), "made"))
        assert np.isnan(found.origins["brought"].seconds) and found.origins["made"].seconds >= 0
        assert found.spent == found.origins["made"].seconds
        assert "| not known |" in markdown_page(found)


def test_pages_hold_every_claim_whole_and_safe(tmp_path):
    def draw(had: Any) -> Any:
        from binocular.report.figures.style import panels

        figure, axes = panels(1)
        axes[0].plot(had["numbers"])
        return figure

    absent = Numbers("absent", error=BadInput("no <images> here"))
    found = run(tmp_path, claim(Numbers(), draw=draw), claim(absent, "absent"))
    written = write_pages(found, tmp_path)
    assert {path.name for path in written} == {"report.html", "page.md", "findings.json"}
    page, html = (tmp_path / "page.md").read_text(), (tmp_path / "report.html").read_text()
    assert "| shift of the units | 0.35 (Fig. 4) | 0.32 [0.26, 0.39] | ≥ 0.20 | holds |" in page
    assert "no <images> here" in page and "no &lt;images&gt; here" in html and "<images>" not in html
    assert "binocular reproduce fake-2023" in page and "data:image/svg+xml" in html
    assert "<script" not in html and "http" not in html.split("</style>")[1].replace("http-equiv", "")
    for ending in ("png", "svg"):
        assert (tmp_path / "figures" / f"shift.{ending}").stat().st_size > 1000
    assert "](figures/shift.png)" in page
    plain = json.loads((tmp_path / "findings.json").read_text())
    assert plain == json.loads(json.dumps(as_plain(found)))
    row = plain["claims"][0]["evidence"][0]
    assert row["subjects"] == 3 and row["low"] < 0.3 < row["high"] and row["says"] == "holds"
    assert plain["claims"][1]["verdict"] == "not run" and plain["claims"][1]["evidence"] == []
    assert not list(tmp_path.rglob("*.partial")) and markdown_page(found) == page


def test_a_study_is_taken_up_measured_once_and_shares_histories(tmp_path):
    out = tmp_path / "out"
    need = study_need(tmp_path, "first", measures=(Measure("weights"),))
    study = need.obtain(out, "cpu", True)
    subject = study.condition("early").subjects[0]
    assert any(name == "weights" for name, _ in subject.measures)
    nodes = {path.name: path.stat().st_mtime_ns for path in (out / "first" / "nodes").glob("*.h5")}
    measures = {path.name: path.stat().st_mtime_ns for path in (out / "first" / "measures").rglob("*.h5")}
    again = need.obtain(out, "cpu", True)
    assert nodes == {path.name: path.stat().st_mtime_ns for path in (out / "first" / "nodes").glob("*.h5")}
    assert measures == {path.name: path.stat().st_mtime_ns for path in (out / "first" / "measures").rglob("*.h5")}
    one, other = (dominance(found, "early", "cbi") for found in (again, study))
    assert one.identical(other)
    with pytest.raises(BadInput, match="no condition 'never'"):
        dominance(study, "never", "cbi")

    found = reproduce(PAPER, [rsv_claim(study_need(tmp_path, "second"))], out, device="cpu")
    inodes = {path.name: path.stat().st_ino for path in (out / "first" / "nodes").glob("*.h5")}
    assert inodes == {path.name: path.stat().st_ino for path in (out / "second" / "nodes").glob("*.h5")}, "reared twice"
    origin = found.origins["second"]
    assert found.spent == pytest.approx(sum(origin.nodes.values())) and found.spent > 0
    assert "binocular run" in origin.command and origin.device

    other = study_need(tmp_path, "third", "training.learning_rate=0.2").obtain(out, "cpu", True)
    assert dominance(other, "normal", "cbi")["seed"].values.tolist() == [0]
    assert not set(inodes) & {path.name for path in (out / "third" / "nodes").glob("*.h5")}


def test_a_study_with_one_subject_is_undecided_and_one_without_a_card_is_not_run(tmp_path):
    found = reproduce(PAPER, [rsv_claim(study_need(tmp_path, "one"))], tmp_path / "out", device="cpu")
    assert found.results[0].finding.verdict == "undecided"
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has the GPU that the rest needs to be without")
    need = study_need(tmp_path, "card", graphics_card=True)
    found = reproduce(PAPER, [rsv_claim(need)], tmp_path / "out", device="auto")
    assert found.results[0].finding.verdict == "not run" and "GPU" in found.results[0].finding.reason
    assert not found.faults


def test_papers_and_claims_by_name():
    with pytest.raises(BadInput, match="accepted: kleinman-2023"):
        paper_named("kleinman")
    with pytest.raises(BadInput, match="has no claim 'nothing'"):
        chosen_claims(paper_named("kleinman-2023"), ["nothing"])
    ids = [claim.id for paper in PAPERS.values() for claim in paper.claims()]
    assert len(set(ids)) == len(ids)
    for paper in PAPERS.values():
        for each in paper.claims():
            assert each.statement.endswith(".") and each.source, each.id
            assert set(each.needs) | set(each.absent) >= {"lab", "paper"}, f"{each.id}: say why a scale is absent"


def test_a_key_stands_for_one_need(tmp_path):
    found = run(tmp_path, claim(Numbers(values=(0.3, 0.4))), claim(Numbers(values=(0.1, 0.2)), "other"))
    assert "two different needs" in found.faults[0]
    for paper in PAPERS.values():
        for scale in ("lab", "paper"):
            known: dict[str, Any] = {}
            for need in (need for each in paper.claims() for need in each.needs.get(scale, ())):
                assert known.setdefault(need.key, need) == need, f"{paper.name}, {scale}: {need.key}"


KILLED = """
import sys
from tests.made_claims import PAPER, rsv_claim, study_need
from binocular.papers.reproducing import reproduce
from pathlib import Path
place = Path(sys.argv[1])
needs = [study_need(place, "first"), study_need(place, "second", "training.learning_rate=0.02", "seeds=20")]
reproduce(PAPER, [rsv_claim(need) for need in needs], place / "out", device="cpu")
"""


def test_a_kill_loses_no_study_that_was_done(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT)
    try:
        wait_until(lambda: list((tmp_path / "out" / "second" / "nodes").glob("*.h5")), process)
    finally:
        process.kill()
        process.wait()
    done = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*/nodes/*.h5")}
    first = {path for path in done if "first" in path.parts}
    assert first and done.keys() - first and not (tmp_path / "out" / "second" / "study.h5").exists()
    needs = [study_need(tmp_path, "first"), study_need(tmp_path, "second", "training.learning_rate=0.02", "seeds=20")]
    found = reproduce(PAPER, [rsv_claim(needs[0])], tmp_path / "out", device="cpu")
    assert found.results[0].finding.evidence and not found.faults
    kept = {path: path.stat().st_mtime_ns for path in first}
    assert kept == {path: done[path] for path in first}, "what was done was reared again"


def test_the_command_tells_what_is_wrong_and_lists_what_there_is(tmp_path):
    assert_one_sentence(binocular("reproduce", "kleinman", cwd=tmp_path), "kleinman-2023", "achille-2019")
    assert_one_sentence(binocular("reproduce", "kleinman-2023", "--claim", "k9", cwd=tmp_path), "--claim", "k23-3-blur")
    assert_one_sentence(binocular("reproduce", "kleinman-2023", "--scale", "big", cwd=tmp_path), "lab, paper")
    listed = binocular("reproduce", "kleinman-2023", "--list", "--claim", "k23-3-blur", cwd=tmp_path)
    assert listed.returncode == 0 and "subject-epochs" in listed.stdout and "GPU" in listed.stdout
    assert not list(tmp_path.iterdir()), "listing writes nothing"
    absent = ["reproduce", "kleinman-2023", "--scale", "paper", "--claim", "k23-3-blur", "--device", "cpu"]
    empty = tmp_path / "empty"
    empty.mkdir()
    homeless = {"HOME": str(empty), "XDG_CACHE_HOME": str(empty)}
    done = binocular(*absent, "--data", "empty", "--out", "out", cwd=tmp_path, **homeless)
    assert done.returncode == 0, done.stderr
    assert "not run" in done.stdout and "cifar-10 is in none of" in done.stdout.replace("\n", " ")
    assert "**not run**" in (tmp_path / "out" / "page.md").read_text()


@pytest.mark.parametrize("width", [80, 140])
def test_a_claim_is_told_whole_on_narrow_and_wide_terminals(tmp_path, width):
    found = run(tmp_path, claim(Numbers()), claim(Numbers("absent", error=BadInput("no card")), "absent"))
    console = Console(width=width, record=True, file=io.StringIO())
    for result in found.results:
        print_result(result, console)
    print_summary(found, console)
    told = " ".join(console.export_text().split())
    for words in ("shift of the units", "0.32 [0.26, 0.39]", "≥ 0.20", "holds", "0.35 (Fig. 4)", "not run", "no card"):
        assert words in told, (words, told)


def test_what_claims_take_together_counts_once_what_they_share(tmp_path):
    first, other = study_need(tmp_path, "first"), study_need(tmp_path, "other", "training.learning_rate=0.02")
    again = replace(study_need(tmp_path, "again", "probes.n_stimuli=8"), graphics_card=True)
    pieces = first.pieces()
    assert len(pieces) == planned_tree(first.load()).epochs_shared, "as planned, a common beginning once"
    assert again.pieces().keys() == pieces.keys() and not pieces.keys() & other.pieces().keys()
    assert all(map(math.isnan, again.pieces().values())), "not known without the GPU it needs"
    looked = {"lab": Looks((2, 4), 50)}
    claims = [replace(rsv_claim(need), looks=looked) for need in (first, replace(first, key="same"), again)]
    for look, seeds in ((1, 2), (2, 2), (3, 2), (4, 4), (40, 4)):
        found = pieces_until(claims, "lab", look)
        assert set(found) == {"first", "same", "again"} and len(found["first"]) == seeds * len(pieces)
    whole = sum(pieces.values())  # of one seed
    told = whole_words(claims, "lab", 1)
    assert f"lab: about {duration_words(2 * whole)} for 2 seeds, {duration_words(4 * whole)} for 4 seeds" in told
    assert told.endswith("Not counted, for their time is not known here: again.")
