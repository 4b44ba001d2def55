"""Claims looked at again after more seeds: what settles when, what is reared for it, and what the page says."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import xarray as xr

from binocular.papers.claims import Claim, Finding, Row
from binocular.papers.looks import Course, Looks
from binocular.papers.needs import StudyNeed
from binocular.papers.numbers import dominance
from binocular.papers.pages import as_plain, markdown_page
from binocular.papers.presenting import course_words
from binocular.papers.reproducing import reproduce
from binocular.stimuli.errors import BadInput
from tests.made_claims import PAPER, Numbers, claim, run
from tests.tiny import tiny_file

LOOKS = Looks((5, 10, 20, 40), pilots=(100, 101))


@dataclass(frozen=True)
class Drawn(StudyNeed):
    """A study whose only number is drawn: a mean and an s.d. of 1 over seeds."""

    mean: float = 0.0
    asked: list[int] = field(default_factory=list, compare=False)

    def obtain(self, folder: Any, device: str, quiet: bool) -> Any:
        seeds = json.loads(self.settings[-1].removeprefix("seeds="))
        self.asked.append(len(seeds))
        drawn = [self.mean + np.random.default_rng(seed).standard_normal() for seed in seeds]
        return xr.DataArray(drawn, {"seed": seeds}, ("seed",))

    def only_seeds(self, study: Any, seeds: Any) -> Any:
        return study.sel(seed=list(seeds))


def looked_at(*means: float, looks: Looks = LOOKS) -> Claim:
    needs = tuple(Drawn(f"mean-{mean:g}", "none", mean=mean) for mean in means)
    rows = [Row(f"shift {need.mean:g}", lambda had, key=need.key: had[key], at_least=0.0) for need in needs]
    return Claim("moved", "The units move.", "Fig. 4", {"lab": needs}, rows, looks={"lab": looks})


def test_seeds_are_added_until_every_number_is_settled(tmp_path):
    both = looked_at(6.0, 1.2)
    (result,) = run(tmp_path, both).results
    large, small = result.finding.evidence
    assert (large.look, large.verdict) == (5, "holds") and large.ours.n == 5, "what is settled stays as it was"
    assert small.verdict == "holds" and small.look == small.ours.n == result.course.taken[-1] > 5
    assert both.needs["lab"][0].asked == list(result.course.taken) and result.course.settled
    (none,) = run(tmp_path / "none", looked_at(-0.2)).results
    assert none.finding.verdict == "undecided" and none.course.taken == (5, 10, 20, 40) and not none.course.settled
    assert "no further look" in course_words(none.course)


def test_what_several_claims_rest_on_is_obtained_once_at_each_look(tmp_path):
    first = looked_at(1.2)
    second = replace(first, id="again")
    found = run(tmp_path, first, second).results
    assert first.needs["lab"][0].asked == list(found[0].course.taken)
    assert [row.ours for row in found[1].finding.evidence] == [row.ours for row in found[0].finding.evidence]
    assert found[1].course.taken == found[0].course.taken and len(found[0].course.taken) > 1


def test_no_seed_is_added_where_a_number_has_fallen(tmp_path):
    fallen = looked_at(-6.0, 0.0)
    (result,) = run(tmp_path, fallen).results
    assert [row.verdict for row in result.finding.evidence] == ["does not hold", "undecided"]
    assert result.finding.verdict == "does not hold" and result.course.taken == (5,) and result.course.settled
    assert all(need.asked == [5] for need in fallen.needs["lab"])


def test_a_stop_between_looks_is_gone_on_from(tmp_path):
    found = reproduce(PAPER, [looked_at(1.2)], tmp_path, device="cpu", until=5)
    (first,) = found.results
    assert first.course.taken == (5,) and [look for look, _ in first.course.further()] == [10, 20, 40]
    assert "Further looks would cost" in markdown_page(found) and "seeds 100 and 101" in markdown_page(found)
    (last,) = reproduce(PAPER, [looked_at(1.2)], tmp_path, device="cpu").results
    assert last.course.taken[0] == 5 and last.finding.verdict == "holds"
    with pytest.raises(BadInput, match=r"--until: 3 .* 5"):
        reproduce(PAPER, [looked_at(1.2)], tmp_path, device="cpu", until=3)


def test_a_number_on_its_bound_is_decided_in_five_of_a_hundred_cases():
    row, wrong, trials = Row("shift", lambda had: had["x"], at_least=0.0), 0, 600
    one = Claim("x", "x.", "x", {}, [row])
    for drawn in np.random.default_rng(0).standard_normal((trials, LOOKS.after[-1])):
        values = xr.DataArray(drawn, {"seed": range(len(drawn))}, ("seed",))
        found = Finding("x")
        for look in LOOKS.after:
            found = one.judge({"x": values[:look]}, LOOKS.coverage[look]).at_look(look, found)
        wrong += found.verdict != "undecided"
    assert wrong / trials == pytest.approx(0.05, abs=0.03)  # 3 s.d. of the share of 600


def test_pilot_seeds_decide_nothing():
    with pytest.raises(ValueError, match="pilot"):
        Looks((5, 10), first=100, pilots=(100, 101))
    assert set(LOOKS.seeds(40)).isdisjoint(LOOKS.pilots) and LOOKS.seeds(5) == (200, 201, 202, 203, 204)


def test_without_looks_nothing_changes(tmp_path):
    (result,) = run(tmp_path, claim(Numbers())).results
    assert result.course is None and result.finding.evidence[0].look == 0
    plain = as_plain(run(tmp_path, claim(Numbers())))["claims"][0]
    assert plain["looks"] is None and "look" not in plain["evidence"][0]


def test_costs_of_further_looks_follow_from_what_a_seed_took():
    course = Course(LOOKS, (5, 10), 60.0, settled=False)
    assert list(course.further()) == [(20, 600.0), (40, 1800.0)]
    assert "whatever else the machine was doing: 20 seeds: 10 min; 40 seeds: 30 min" in course_words(course)
    assert "intervals of 99.0, 98.9, 98.3, 97.4 %" in course_words(course), "not those of 95 %"
    assert "settled" in course_words(replace(course, settled=True))


def rsv_at_looks(need: StudyNeed, looks: Looks, bound: float, name: str) -> Claim:
    row = Row("mean RSV", lambda had: dominance(had["tiny"], "early", "mean_rsv"), at_least=bound)
    return Claim(name, "Units move.", "Fig. 4", {"lab": (need,)}, [row], looks={"lab": looks})


def test_studies_grow_from_look_to_look_and_none_is_reared_twice(tmp_path):
    need, looks, out = StudyNeed("tiny", str(tiny_file(tmp_path))), Looks((2, 3), first=200), tmp_path / "out"
    settled, open_one = rsv_at_looks(need, looks, -1e6, "settled"), rsv_at_looks(need, looks, 0.0, "open")
    first = reproduce(PAPER, [open_one], out, device="cpu", until=2)
    assert first.results[0].finding.evidence[0].ours.n == 2
    there = {path.name: path.stat().st_mtime_ns for path in (out / "tiny" / "nodes").glob("*.h5")}
    found = reproduce(PAPER, [open_one, settled], out, device="cpu")
    after = {path.name: path.stat().st_mtime_ns for path in (out / "tiny" / "nodes").glob("*.h5")}
    assert there.items() < after.items(), "reared anew"
    assert not list((out / "tiny").glob("study-*.h5")), "the smaller study is part of the larger one"
    rows = [result.finding.evidence[0] for result in found.results]
    assert [row.ours.n for row in rows] == [3, 2] and rows[1].verdict == "holds"
    assert rows[1].ours.n == rows[1].look == 2, "a claim is looked at after the seeds of its look, whatever lies there"
    assert found.origins["tiny"].seeds == 3 and found.results[0].course.seconds_per_seed > 0
