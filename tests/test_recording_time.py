"""Each published row is compared at the moment at which its animals were recorded; both moments are marked."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from binocular.compare import compare_study, evaluate_facts, load_literature
from binocular.compare.experiment_figure import columns_of
from binocular.compare.histograms import epoch_recorded, like_for_like
from binocular.compare.presenting import histograms_table
from binocular.compare.samples import samples_of
from binocular.compare.treatments import Treatment
from binocular.compare.writing import as_plain
from binocular.stimuli.errors import BadInput
from tests.chosen_histograms import NORMAL, OPEN_EYE, closed, phases, study_of

LITERATURE = load_literature()
MONKEY, KITTEN = LITERATURE.histograms["monkey_md_2wk"], LITERATURE.histograms["kitten_md45_open_1"]
REVERSED = LITERATURE.histograms["kitten_md45_reverse"]
CLOSED = Treatment("one eye closed", "right", 0, 12, 48)


def test_the_moment_of_a_row_is_turned_into_epochs_by_the_scale_of_the_species():
    assert epoch_recorded(CLOSED, MONKEY, LITERATURE) == 12, "recorded where the closure ended"
    assert epoch_recorded(CLOSED, KITTEN, LITERATURE) == 12 + 4 * 7, "seven weeks after the opening, 4 epochs a week"
    assert epoch_recorded(Treatment("normal", "right", None, None, 48), MONKEY, LITERATURE) is None
    assert epoch_recorded(CLOSED, LITERATURE.histograms["kleinman_blur_40"], LITERATURE) is None


def test_a_reverse_suture_is_compared_while_the_second_eye_is_closed():
    then = Treatment("reverse suture", "right", 14, 30, 60)
    assert epoch_recorded(then, REVERSED, LITERATURE) == 30
    assert epoch_recorded(Treatment("reverse suture", "right", 14, 90, 100), REVERSED, LITERATURE) == 14 + 4 * 7


def study():
    return study_of(
        {
            "normal": (NORMAL, phases((24, None))),
            "closed": (OPEN_EYE, phases((12, closed()), (12, None))),
        }
    )


def test_rows_of_one_condition_are_compared_at_their_own_moments():
    found = {one.record.id: one for one in compare_study(study()).histograms if one.sample.name == "closed"}
    assert {name: found[name].sample.epoch for name in (MONKEY.id, KITTEN.id)} == {MONKEY.id: 12, KITTEN.id: 24}
    assert [one.epoch for one in found[MONKEY.id].marks] == [12, 24]
    for at, epoch in (("end", 24), ("deficit", 12)):
        assert {one.sample.epoch for one in compare_study(study(), at=at).histograms[-2:]} == {epoch}  # type: ignore[arg-type]


def test_without_rearing_after_the_deficit_rows_after_a_recovery_come_last():
    records = list(LITERATURE.histograms.values())
    (ending,) = samples_of(study_of({"closed": (OPEN_EYE, phases((12, closed())))}), "representation")
    (healing,) = samples_of(study_of({"closed": (OPEN_EYE, phases((12, closed()), (12, None)))}), "representation")
    assert like_for_like(ending, records, LITERATURE)[0].id == MONKEY.id
    assert like_for_like(healing, records, LITERATURE)[0].id == KITTEN.id


def test_each_fact_is_tested_when_its_animals_were_examined_and_both_moments_are_kept():
    moments = {one.id: one.moment for one in LITERATURE.tests}
    assert moments["early_shift"] == "deficit" and moments["early_recovery"] == "end"
    assert all(one.moment for one in LITERATURE.tests if one.treatment != "normal")
    found = {one.test.id: one for one in compare_study(study()).facts}
    assert found["early_shift"].moments == {"deficit": "holds", "end": "holds"}
    asked = {one.test.id: one for one in evaluate_facts(study(), LITERATURE, "representation", "end")}
    assert asked["early_shift"].verdict == "holds" and asked["early_no_recovery"].verdict == "holds"


def test_tables_and_numbers_show_both_moments():
    comparison = compare_study(study())
    console = Console(width=200, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as captured:
        console.print(histograms_table(comparison))
    text = captured.get()
    assert "at its end" in text and "12 epochs after it" in text and "epoch 12:" in text and "epoch 24:" in text
    plain = as_plain(comparison)
    assert "animals" in plain["measured_at"]
    beside = next(
        one for one in plain["histograms"] if one["published"]["id"] == MONKEY.id and one["condition"] == "closed"
    )
    assert [mark["epoch"] for mark in beside["marks"]] == [12, 24] and beside["epoch"] == 12
    assert next(one for one in plain["facts"] if one["id"] == "early_shift")["verdict_by_moment"]["end"] == "holds"
    assert {column.sample.name: column.sample.epoch for column in columns_of(comparison)}["closed"] == 24


def test_a_moment_that_is_none_is_refused():
    from binocular.cli import compare

    with pytest.raises(BadInput, match="recorded, end and deficit"):
        compare(Path("nothing.h5"), at="noon")


@pytest.mark.parametrize("record", [one for one in LITERATURE.histograms.values() if not one.is_network])
def test_every_row_has_a_name_that_a_reader_knows(record):
    assert record.name.split(",")[0] in ("macaque", "cat") and "_" not in record.name
    assert record.recorded and record.cells
