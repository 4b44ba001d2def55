"""A study in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from binocular.dominance import dominance_of
from binocular.store.study import load_study
from binocular.store.writing import write_study
from tests.synthetic import invented_conditions, invented_header


def test_a_study_in_memory(tmp_path: Path):
    subjects = invented_conditions((0, 2, 10), map_site=True)
    failures = {("normal", 1): "no memory"}
    write_study(tmp_path / "study.h5", invented_header((0, 2, 10)), subjects[::-1], failures=failures)
    study = load_study(tmp_path)
    assert [condition.name for condition in study.conditions] == [
        "normal",
        "deprived-early",
        "deprived-late",
        "both-eyes",
    ]
    assert [subject.seed for subject in study.conditions[0].subjects] == [0, 2, 10]
    assert study.conditions[1].label == "deprived early"
    assert study.sites == ("representation", "representation.map")
    assert study.tasks == ("outline", "stereopsis")
    assert (study.treated_eye, study.fellow_eye, study.complete) == ("right", "left", False)
    assert study.versions["torch"] == "2.6.0"
    assert study.failures == failures
    early = study.conditions[1]
    cbi = [dominance_of(s.sites["representation"].values["rsv"]).cbi[-1] for s in subjects if s.condition == early.name]
    assert early.at_end("cbi", "representation").mean == pytest.approx(np.mean(cbi))
    np.testing.assert_allclose(early.shares("representation").sum(1), 1)
    assert early.shares("no such site").shape == (0, 7)


def test_conditions_without_subjects(tmp_path: Path):
    write_study(tmp_path / "study.h5", invented_header(), invented_conditions((0,))[:1])
    study = load_study(tmp_path / "study.h5")
    assert len(study.conditions) == 4
    assert [condition.name for condition in study.reared] == ["normal"]
    assert np.isnan(study.conditions[1].at_end("cbi", "representation").mean)
