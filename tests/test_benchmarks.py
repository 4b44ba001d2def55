"""Benchmarks: figures are ratios that are what they say, every case can be found, and records can be read back."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch

import benchmarks
from binocular.bench.base import Case, Measured, Work, in_turn
from binocular.bench.plain import PlainSamples
from binocular.bench.registry import CASES, case_named
from binocular.bench.running import _row, chosen_cases, run_benchmarks, write_record
from binocular.bench.table import print_record
from binocular.stimuli.errors import BadInput


def test_every_case_has_a_name_of_its_own_and_a_function():
    cases = [*CASES, *benchmarks.CASES]
    assert len({case.name for case in cases}) == len(cases)
    for case in cases:
        assert callable(case.function()), case.name


def test_a_ratio_is_speed_over_speed(monkeypatch: pytest.MonkeyPatch):
    # The candidate does twice the amount in half the time: four times as fast, by the clock and by the CPU.
    taken = {"baseline": (0.04, 0.02), "candidate": (0.02, 0.01)}
    monkeypatch.setattr("binocular.bench.base.seconds_of", lambda run: taken[run()])
    values, detail = in_turn(Work(lambda: "baseline", 10), Work(lambda: "candidate", 20), rounds=3)
    assert values == pytest.approx([4, 4, 4])
    assert detail["baseline_per_second"] == pytest.approx([250] * 3)
    assert detail["candidate_per_processor_second"] == pytest.approx([2000] * 3)
    assert detail["ratio_by_processor_time"] == pytest.approx(4)


def test_limits_have_a_side():
    fast = Case("a", "x:y", "", "x", "at least", 3)
    short = Case("b", "x:y", "", "s", "at most", 1)
    assert fast.met(3.1) is True and fast.met(2.9) is False
    assert short.met(0.9) is True and short.met(1.1) is False
    assert Case("c", "x:y", "", "x", "at least", None).met(5) is None


def test_a_record_is_written_whole_and_shown(tmp_path, capsys):
    record = run_benchmarks("quick", ["sharing"], "binocular bench --case sharing")
    path = tmp_path / "deep" / "record.json"
    write_record(path, record)
    back = json.loads(path.read_text())
    assert back["schema"] == "binocular-benchmarks/1" and back["suite"] == "quick"
    (case,) = back["cases"]
    # 44 + 48 + 80 + 48 epochs asked for; the late group shares 32 with the normal one.
    assert case["median"] == pytest.approx(220 / 188, rel=1e-4)
    assert back["machine"]["matrix_rate_gflops"]["float32"] > 0
    assert [p.name for p in path.parent.iterdir()] == ["record.json"]
    skipped = _row(case_named("published"), Measured(skipped="there is no GPU here"))
    print_record({**record, "cases": [*record["cases"], skipped]})
    shown = capsys.readouterr().out
    assert "sharing" in shown and "1.17 x" in shown and "there is no GPU here" in shown


def test_what_is_not_there_is_refused():
    with pytest.raises(BadInput, match="--suite: there is no suite 'slow'; accepted: quick, full"):
        chosen_cases("slow")
    with pytest.raises(BadInput, match="--case: there is no case 'x'; accepted: start-help"):
        chosen_cases("quick", ["x"])


def test_plain_samples_are_split_as_published():
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    left, right, label = PlainSamples(images, np.arange(4), 16)[2]
    assert label == 2
    assert torch.count_nonzero(left[:, :, 16:]) == 0 and torch.count_nonzero(right[:, :, :16]) == 0
    red = (images[2, :, 16:, 0] / 255 - 0.4914) / 0.2023
    np.testing.assert_allclose(right[0, :, 16:].numpy(), red, rtol=1e-5, atol=1e-6)
    assert torch.count_nonzero(left) > 0


def test_operations_of_the_published_network_are_those_of_its_layers():
    from binocular.bench.published import operations

    # Multiplications per image by hand: each pathway's stages of 64 and 128 channels, then those of 256 and 512.
    stage1 = 4 * 9 * 64 * 64 * 32 * 32
    stage2 = (9 * 64 * 128 + 3 * 9 * 128 * 128 + 64 * 128) * 16 * 16
    stage3 = (9 * 128 * 256 + 3 * 9 * 256 * 256 + 128 * 256) * 8 * 8
    stage4 = (9 * 256 * 512 + 3 * 9 * 512 * 512 + 256 * 512) * 4 * 4
    first = 9 * 3 * 64 * 32 * 32
    expected = 2 * (3 * (2 * (stage1 + stage2) + stage3 + stage4) + 2 * 2 * first)
    assert math.isclose(operations({}), expected, rel_tol=1e-9)


def test_time_is_added_up_by_purpose(tmp_path, monkeypatch: pytest.MonkeyPatch):
    from binocular.rearing import stopwatch

    clock = iter([10.0, 10.5, 20.0, 20.25])
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: next(clock))
    before = stopwatch.spent_so_far().get("resting", 0.0)
    for _ in range(2):
        with stopwatch.timed("resting"):
            pass
    assert stopwatch.spent_so_far()["resting"] - before == pytest.approx(0.75)
    monkeypatch.undo()
    stopwatch.write_timings(tmp_path / "new" / "timings.json")
    assert json.loads((tmp_path / "new" / "timings.json").read_text())["resting"] >= 0.75
    with pytest.raises(BadInput, match="is a folder"):
        stopwatch.write_timings(tmp_path)


@pytest.mark.slow
def test_a_run_says_where_its_time_went(tmp_path):
    from benchmarks.studies import run_and_time
    from tests.tiny import tiny_file

    seconds = run_and_time(str(tiny_file(tmp_path)), [])
    parts = [seconds[name] for name in ("planning", "rearing", "writing", "drawing", "reporting")]
    assert all(part > 0 for part in parts) and sum(parts) < seconds["whole"]
    assert seconds["probing"] > 0 and seconds["learning"] > 0 and seconds["saving"] > 0
    assert 50 < seconds["peak_mb"] < 2000


def test_packings_are_compared_on_equal_work(monkeypatch: pytest.MonkeyPatch):
    from binocular.bench import cohorts

    @contextmanager
    def here(tasks: list, cores: int) -> Iterator[Callable[[], float]]:
        made = [make(*arguments) for make, arguments in tasks]
        yield lambda: sum(0.0 for run in made if run() is None)

    _rates_are_positive(*cohorts.compare_packings("split-mlp", 1, "loop", 1, cores=1))
    monkeypatch.setattr(cohorts, "elsewhere", here)
    for packing in ("loop", "stacked"):
        _rates_are_positive(*cohorts.compare_packings("split-mlp", 2, packing, 1))


def _rates_are_positive(values: list[float], detail: dict) -> None:
    assert len(values) == 1 and values[0] > 0 and detail["ratio_by_processor_time"] > 0


def test_growth_is_the_power_of_size():
    from benchmarks.scaling import _measured, growth

    assert growth([1, 2, 4], [3.0, 6.0, 12.0]) == pytest.approx(1)
    assert growth([8, 16, 32], [1.0, 4.0, 16.0]) == pytest.approx(2)
    measured = _measured({1: [1.0, 2.0, 9.0], 4: [16.0, 32.0, 33.0]}, "pixels", "seconds")
    assert measured.values == [pytest.approx(2)], "the median of each size counts"
    assert measured.detail["scaling"]["lowest"] == [1.0, 16.0]


def test_scaling_is_drawn_with_its_range(tmp_path):
    from benchmarks.scaling import _measured
    from benchmarks.scaling_figure import draw_scaling, scaling_curve

    measured = _measured({1: [0.9, 1.0, 1.3], 2: [1.9, 2.0, 2.3], 4: [4.0, 4.1, 4.2]}, "subjects", "seconds")
    ax = scaling_curve(measured.detail["scaling"])
    assert ax.get_xlabel() == "subjects" and ax.get_ylabel() == "seconds"
    (line, points) = (line.get_xydata() for line in ax.get_lines()[:2])
    np.testing.assert_allclose(points, [[1, 1.0], [2, 2.0], [4, 4.1]])
    np.testing.assert_allclose(line[:, 1], 4.1 / 4 * line[:, 0])
    fewer = _measured({1: [8.0], 2: [4.4], 4: [3.0]}, "workers", "seconds", ideal=-1)
    ideal = scaling_curve(fewer.detail["scaling"]).get_lines()[0].get_xydata()
    np.testing.assert_allclose(ideal, [[1, 8.0], [2, 4.0], [4, 2.0]])
    record = {
        "cases": [{"name": "scaling-x", "detail": dict(measured.detail)}, {"name": "other", "detail": {}}],
        "machine": {"processor": "a processor", "cores": 2},
        "date": "2026-01-01T00:00:00+00:00",
    }
    (written,) = draw_scaling(record, tmp_path, "full")
    assert written.name == "full.scaling-x.png" and written.stat().st_size > 5000
