"""Figures of later probes: what is drawn is what was measured, and nothing where nothing was."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import same_color
from matplotlib.patches import Rectangle

from binocular.probes.gratings import DominanceIndex
from binocular.probes.receptive_fields import ReceptiveFields
from binocular.probes.registry import probe_type
from binocular.report.figures import FIGURES, dominance_agreement, draw, draw_all, field_pairs, two_eye_tuning
from binocular.report.figures.style import EYE_COLOURS
from binocular.stimuli.errors import BadInput
from binocular.store.records import MeasureRecord
from binocular.store.study import load_study
from binocular.store.verification import verify_study
from binocular.store.writing import write_study
from tests.handmade import HandMade, Still, random_filters
from tests.synthetic import invented_conditions, invented_header

LATER = ("agreement", "tuning", "receptive-fields")
NEEDS_MORE = {*LATER, "areas"}


def texts(ax):
    return "\n".join(text.get_text() for text in ax.figure.findobj(mpl.text.Text))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Invented subjects, with real measures of networks of random filters."""
    subjects = invented_conditions((0, 1), only=("normal", "deprived-early"))
    probes = {
        ("odi", "representation"): DominanceIndex(resamplings=10, n_stimuli=6),
        ("receptive-fields", "first-layer"): ReceptiveFields(),
    }
    for subject in subjects:
        network = HandMade(random_filters(20, subject.seed), random_filters(20, 9))
        for (name, site), probe in probes.items():
            found = probe.measure(network, Still(), subject.seed, site)
            values = {k: v if probe.columns[k].dims[0] != "checkpoint" else np.stack([v, v]) for k, v in found.items()}
            subject.measures[name, site] = MeasureRecord(np.array([0, 12]), values, probe_type(name).columns)
    path = tmp_path_factory.mktemp("study") / "study.h5"
    write_study(path, invented_header((0, 1), only=("normal", "deprived-early")), subjects)
    return path


def test_later_figures_are_drawn_where_their_probe_was_taken(path):
    assert verify_study(path) == []
    study = load_study(path)
    drawn = [stem for _, stem, _ in draw(study)]
    assert drawn == [*(name for name in FIGURES if name not in NEEDS_MORE), *LATER[:2], "receptive-fields.first-layer"]


def test_each_is_written_as_picture_and_drawing(path, tmp_path):
    written = draw_all(path, tmp_path, LATER)
    assert [file.name for file in written][:2] == ["agreement.png", "agreement.svg"] and len(written) == 6
    assert all(file.stat().st_size > 5000 for file in written)


def test_a_figure_without_its_probe_says_which_is_missing(tmp_path):
    write_study(tmp_path / "study.h5", invented_header((0,)), invented_conditions((0,)))
    study = load_study(tmp_path / "study.h5")
    assert not {name for name, _, _ in draw(study)} & set(LATER)
    with pytest.raises(BadInput, match=r"measure STUDY --probe odi"):
        list(draw(study, ["agreement"]))


def test_every_unit_is_a_point_and_the_correlation_is_over_seeds():
    rsv, odi = np.array([-0.5, 0.2, np.nan]), np.array([-0.4, 0.6, 0.1])
    ax = dominance_agreement(rsv, odi, correlations=[0.2, 0.4], untrained=([0.0], [0.1]))
    np.testing.assert_array_equal(ax.lines[-1].get_xydata(), np.stack([rsv, odi], 1))
    assert "ρ = 0.30\n[−0.97, 1.00]" in texts(ax), "the interval ends where correlations do"
    assert "[" not in texts(dominance_agreement(rsv, odi, correlations=[0.2]))


def test_tuning_is_closed_and_in_the_eyes_colours():
    ax = two_eye_tuning([90, 0], [1.0, 2.0], [3.0, 4.0])
    left, right = ax.lines[-2:]
    np.testing.assert_array_equal(left.get_xydata(), [[0, 2], [90, 1], [180, 2]])
    np.testing.assert_array_equal(right.get_ydata(), [4, 3, 4])
    assert same_color(left.get_color(), EYE_COLOURS["left"]) and same_color(right.get_color(), EYE_COLOURS["right"])


def test_a_pair_of_fields_shares_its_scale():
    fields = np.zeros((2, 2, 3, 4, 4))
    fields[0, 0], fields[0, 1], fields[1, 1] = 2.0, -0.5, 0.1
    ax = field_pairs(fields)
    np.testing.assert_allclose([image.get_clim() for image in ax.images], [(-2, 2)] * 2 + [(-0.1, 0.1)] * 2)
    frames = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert [same_color(frame.get_edgecolor(), EYE_COLOURS["left"]) for frame in frames] == [True, False] * 2
    assert ax.images[0].get_extent()[1] < ax.images[1].get_extent()[0], "the left eye's lies on the left"
