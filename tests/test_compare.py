"""The comparison with published data: it can come out either way, and says nothing that it cannot know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from binocular.compare import (
    FactVerdict,
    Treatment,
    compare_study,
    evaluate_facts,
    histogram_test,
    load_literature,
    resample_shares,
    treatment_of,
)
from binocular.compare.curves import CurveComparison, compare_curves, published_durations, published_profiles
from binocular.compare.histograms import unlike
from binocular.compare.recovery import Recovery, recoveries
from binocular.compare.resampling import between_subjects, ends, spread_of_mean
from binocular.compare.samples import samples_of, seen_alone
from binocular.dominance import groups_of
from binocular.probes.base import EYES, NETWORK
from binocular.stimuli.errors import BadInput
from binocular.store.records import MeasureRecord
from binocular.store.study import Condition, Study
from tests.chosen_histograms import ANIMALS, MONKEY, NORMAL, OPEN_EYE, closed, mixed, phases, study_of, subject

# --- distances and resampling -----------------------------------------------------------------------------------------


def test_distance_and_bias_of_histograms_by_hand():
    rng = np.random.default_rng(0)
    all_deprived, all_fellow = np.eye(7)[0] * 50, np.eye(7)[6] * 50
    far = histogram_test([all_deprived], all_fellow, 50, rng)
    assert (far.distance.mean, far.cbi_difference.mean, far.verdict) == (6, 1, "different")
    half = histogram_test([[25, 0, 0, 0, 0, 0, 25]], all_fellow, 50, rng)
    assert half.distance.mean == pytest.approx(3) and half.cbi_difference.mean == pytest.approx(0.5)
    same = histogram_test([all_fellow] * 3, all_fellow, None, rng)
    assert (same.distance.mean, same.verdict) == (0, "consistent")


def test_intervals_of_the_distance_hold_it_and_stay_in_range():
    test = histogram_test([[0, 0, 0, 0, 5, 20, 25]] * 3, MONKEY.shares, MONKEY.cells, np.random.default_rng(0))
    assert 0 <= test.distance.low <= test.distance.mean <= test.distance.high <= 6
    assert test.cbi_difference.low <= test.cbi_difference.mean <= test.cbi_difference.high


def test_resampled_means_spread_as_means_of_fresh_samples_do():
    rng = np.random.default_rng(1)
    shares = np.array(NORMAL)
    truth = (rng.multinomial(48, shares, size=(4000, 5)) / 48).mean(1)[:, 3].std()
    found = [resample_shares(rng.multinomial(48, shares, size=5), 400, rng)[:, 3].std() for _ in range(60)]
    assert np.mean(found) == pytest.approx(truth, rel=0.15)
    np.testing.assert_allclose(resample_shares(rng.multinomial(48, shares, size=5), 9, rng).sum(1), 1)


def test_spread_between_subjects_is_told_from_that_of_units():
    rng = np.random.default_rng(2)
    alike = [between_subjects(rng.multinomial(48, NORMAL, size=6)) for _ in range(40)]
    assert np.mean(alike) < 0.3
    assert between_subjects([np.array(NORMAL) * 100, np.array(OPEN_EYE) * 100]) > 0.9
    assert between_subjects([np.array(NORMAL) * 100]) == 0


def test_subjects_without_a_unit_are_left_out_and_none_at_all_is_not_comparable():
    rng = np.random.default_rng(0)
    counts = np.array([[0, 0, 1, 2, 1, 0, 0], np.zeros(7)])
    assert histogram_test(counts, MONKEY.shares, MONKEY.cells, rng).distance.n == 1
    assert histogram_test(np.zeros((2, 7)), MONKEY.shares, MONKEY.cells, rng).verdict == "not comparable"


def test_error_of_a_mean_is_students_t():
    values = np.array([0.5, 0.6, 0.9])
    low, high = ends(spread_of_mean(values, np.random.default_rng(0), 200_000))
    expected = 4.303 * values.std(ddof=1) / np.sqrt(3)
    assert -low == pytest.approx(expected, rel=0.03) and high == pytest.approx(expected, rel=0.03)
    assert np.isnan(spread_of_mean([0.5], np.random.default_rng(0))).all()


@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_equal_histograms_are_rarely_called_different(spread: float):
    """5 % is nominal; 300 trials leave 0.2 to 10 % with near certainty."""
    rng = np.random.default_rng(3)
    trials, wrong = 300, 0
    for _ in range(trials):
        cells = rng.multinomial(100, MONKEY.shares)
        lean = np.exp(rng.normal(0, spread, (3, 1)) * np.linspace(-1, 1, 7)) * MONKEY.shares
        counts = np.array([rng.multinomial(48, one / one.sum()) for one in lean])
        wrong += histogram_test(counts, cells, 100, rng, 400).verdict == "different"
    assert 0 < wrong <= 0.1 * trials


# --- the verdict on a study -------------------------------------------------------------------------------------------


def test_normal_subjects_are_different_from_deprived_monkeys():
    found = compare_study(study_of({"normal": (NORMAL, phases((40, None)))}))
    beside = {one.record.id: one for one in found.histograms}
    assert {name: beside[name].verdict for name in ("monkey_md_2wk", "monkey_md_10wk", "monkey_md_1yr")} == {
        "monkey_md_2wk": "different",
        "monkey_md_10wk": "different",
        "monkey_md_1yr": "different",
    }
    assert not beside["monkey_md_2wk"].like, "normal subjects are not like deprived monkeys"


@pytest.mark.parametrize("treated_eye", ["right", "left"])
def test_subjects_drawn_from_the_monkeys_own_histogram_are_consistent_with_it(treated_eye: str):
    lived = phases((10, closed(treated_eye)), (20, None))
    found = compare_study(study_of({"closed": (MONKEY.shares, lived)}, treated_eye=treated_eye))
    beside = {one.record.id: one for one in found.histograms}
    assert beside["monkey_md_2wk"].verdict == "consistent" and beside["monkey_md_2wk"].like
    assert beside["monkey_md_6yr"].verdict == "different" and not beside["monkey_md_6yr"].like
    assert [one.record.id for one in found.shown] == ["kitten_md45_open_1", "monkey_md_2wk"]


def closed_at(start: int, stop: int, then: int, at: Any = "end") -> list[str]:
    """Return the animals that are like subjects of one closure."""
    lived = phases(*((start, None),) * (start > 0), (stop - start, closed()), *((then, None),) * (then > 0))
    return [one.record.id for one in compare_study(study_of({"closed": (OPEN_EYE, lived)}), at=at).shown]


def test_animals_are_chosen_by_treatment_age_and_moment_of_the_recording():
    assert closed_at(0, 20, 40) == ["kitten_md60_open", "monkey_md_2wk"], "after recovery, kittens after recovery first"
    assert closed_at(0, 20, 20, "deficit") == ["monkey_md_2wk", "kitten_md60_open"]
    assert closed_at(0, 10, 40)[0] == "kitten_md45_open_1", "the nearest end among those closed from birth"
    assert closed_at(40, 60, 30) == ["monkey_md_1yr", "monkey_md_6yr"], "both neighbours, and no kitten from birth"
    assert closed_at(155, 165, 0) == ["monkey_md_6yr"]


def test_mirrored_subjects_are_different():
    """Deprivation that turned the units to the closed eye would not pass for the monkey's."""
    found = compare_study(study_of({"closed": (MONKEY.shares[::-1], phases((10, closed()), (20, None)))}))
    monkey = next(one for one in found.shown if one.record.id == MONKEY.id)
    assert monkey.verdict == "different" and monkey.test.cbi_difference.mean > 0.5


def test_the_eye_that_was_closed_is_group_1_whichever_the_study_calls_treated():
    lived = phases((10, closed("left")), (20, None))
    one = Condition(
        "closed", "closed", tuple(subject("closed", s, MONKEY.shares, lived, eye="left") for s in (0, 1, 2))
    )
    attributes = {"title": "Invented", "treated_eye": "right", "complete": 1, "versions": "{}"}
    found = compare_study(Study(attributes, (one,)), ["monkey_md_2wk"], at="end")
    assert found.histograms[0].verdict == "consistent"
    groups = groups_of(one.subjects[0].sites["representation"].values["rsv"][-1])
    np.testing.assert_array_equal(found.histograms[0].sample.counts[0], groups[::-1])


def test_networks_have_no_sampling_error_of_their_own_and_unit_values_are_compared_in_bins():
    lived = phases((30, {"kind": "blur", "eye": "right", "factor": 4}), (20, None))
    record = load_literature().histograms["kleinman_blur_180"]
    found = compare_study(study_of({"blurred": (record.shares, lived)}))
    like = {one.record.id: one for one in found.histograms if one.like}
    assert set(like) == {"kleinman_blur_180"}, "30 epochs here are 180 there by the declared scale"
    one = like["kleinman_blur_180"]
    assert np.isnan(one.theirs["cbi"].low) and one.units is not None
    assert one.units.value < 0.2, "the same shares in seven bins are close in fine ones"
    far = compare_study(study_of({"normal": (NORMAL, phases((50, None)))}), ["kleinman_blur_180"]).histograms[0].units
    assert far is not None and far.value > far.detectable and far.value > 0.4


def test_the_same_study_gives_the_same_numbers():
    study = study_of({"normal": (NORMAL, phases((40, None)))})
    assert (
        compare_study(study, ["monkey_md_2wk"]).histograms[0].test
        == compare_study(study, ["monkey_md_2wk"]).histograms[0].test
    )


# --- what was done ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lived", "expected"),
    [
        (phases((9, None)), Treatment("normal", "right", None, None, 9)),
        (phases((2, None), (3, closed()), (4, None)), Treatment("one eye closed", "right", 2, 5, 9)),
        (phases((3, closed("left")), (4, closed("left")), (1, None)), Treatment("one eye closed", "left", 0, 7, 8)),
        (phases((3, {"kind": "inactivation", "eye": "left"})), Treatment("one eye closed", "left", 0, 3, 3)),
        (phases((3, closed("both")), (1, None)), Treatment("both eyes closed", "right", 0, 3, 4)),
        (phases((3, {"kind": "dark"}), (1, None)), Treatment("both eyes closed", "right", 0, 3, 4)),
        (phases((3, closed("left")), (5, closed("right"))), Treatment("reverse suture", "left", 3, 8, 8)),
        (phases((3, closed("left")), (1, None), (5, closed("right"))), Treatment("other", "right", 0, 9, 9)),
        (phases((3, closed(contrast=0.5))), Treatment("other", "right", 0, 3, 3)),
        (phases((3, closed(share=0.5))), Treatment("one eye closed part-time", "right", 0, 3, 3, 0.5)),
        (
            phases((3, closed()), (4, {"kind": "inactivation", "eye": "left"})),
            Treatment("fellow eye inactivated", "right", 3, 7, 7),
        ),
        (phases((3, {"kind": "unknown-elsewhere", "eye": "left"})), Treatment("other", "right", 0, 3, 3)),
        (phases((3, {"kind": "blur", "eye": "right", "factor": 4})), Treatment("one eye blurred", "right", 0, 3, 3)),
        (phases((3, {"kind": "misalignment", "eye": "right"})), Treatment("squint", "right", 0, 3, 3)),
        (phases((3, {"kind": "dissociation", "eye": "right"})), Treatment("dissociation", "right", 0, 3, 3)),
        (phases((3, {"kind": "sham"})), Treatment("other", "right", 0, 3, 3)),
    ],
)
def test_treatments_are_read_off_the_phases(lived: list[dict], expected: Treatment):
    one = Condition("misleading-name-normal", "", (subject("x", 0, NORMAL, lived),))
    assert treatment_of(one) == expected


def test_a_closed_eye_that_keeps_its_noise_is_closed_and_a_noisy_open_one_is_not():
    lid, noise = closed(), {"kind": "noise", "eye": "right", "sd": 0.5}
    lived = phases((3, lid), (2, None))
    lived[0]["deficits"] = [lid, noise]
    one = Condition("x", "", (subject("x", 0, NORMAL, lived),))
    assert treatment_of(one) == Treatment("one eye closed", "right", 0, 3, 5)
    lived[0]["deficits"] = [noise]
    assert treatment_of(one).name == "other"


# --- facts ------------------------------------------------------------------------------------------------------------


def facts_of(made: dict[str, tuple[Sequence[float], list[dict]]]) -> list[FactVerdict]:
    return evaluate_facts(study_of(made, units=120), load_literature(), "representation")


def test_subjects_that_do_as_the_animals_did_confirm_the_facts():
    verdicts = {one.test.id: one for one in facts_of(ANIMALS)}
    elsewhere = {name for name, one in verdicts.items() if one.verdict == "not in this study"}
    assert elsewhere == {
        "stereo_early", "early_recovery", "reverse_6wk", "reverse_9wk", "reverse_relapse",
        "fellow_inactivated", "mixed_acuity", "mixed_stereo", "prism_days", "prism_concordant", "disparity_dominance",
        "alternating_binocular", "alternating_stereo", "dark_then_closed", "light_then_closed",
    }  # fmt: skip
    by_units = set(verdicts) - elsewhere - {"stereo_late"}
    assert {name: verdicts[name].verdict for name in by_units} == dict.fromkeys(by_units, "holds")
    assert verdicts["adult_none"].tested[0].condition == "adult"
    assert verdicts["adult_none"].tested[0].baseline == "normal at epoch 70"
    assert verdicts["reverse_late"].tested[0].condition == "reversed-late"
    assert verdicts["squint_balanced"].published.endswith("0.49")


def test_subjects_that_do_otherwise_refute_the_facts():
    swapped = {
        **ANIMALS,
        "normal": (OPEN_EYE, ANIMALS["normal"][1]),
        "early": (NORMAL, ANIMALS["early"][1]),
        "reversed-early": (OPEN_EYE, ANIMALS["reversed-early"][1]),
        "reversed-late": (OPEN_EYE[::-1], ANIMALS["reversed-late"][1]),
        "squint": (NORMAL, ANIMALS["squint"][1]),
        "blur": (NORMAL, ANIMALS["blur"][1]),
    }
    verdicts = {one.test.id: one.verdict for one in facts_of(swapped)}
    for name in (
        "normal_binocular", "normal_monocularity", "early_shift", "early_influence", "early_open_only", "adult_none",
        "both_eyes_little", "reverse_early", "reverse_late", "squint_fewer_binocular", "squint_monocular",
    ):  # fmt: skip
        assert verdicts[name] == "does not hold", name
    assert verdicts["blur_bias"] != "holds"


def part_time(share: float, deprived_sees: float) -> Study:
    """Return normal subjects, and others with an eye closed for a share of the time; one-eye tells what it sees."""
    lived = phases((20, closed(share=share)), (20, None))
    study = study_of({"normal": (NORMAL, phases((40, None))), "mixed": (NORMAL, lived)})
    for condition in study.conditions:
        for index, one in enumerate(condition.subjects):
            sees = 0.8 if condition.name == "normal" else deprived_sees
            told = np.array([[[0.25, 0.5, 0.5]] * 2, [[0.1, 0.9, 0.5], [0.2, sees + 0.002 * index, 0.5]]])
            values = {"eye": EYES, "task": np.array(["class", "outline", "stereopsis"]), "accuracy": told}
            one.measures["one-eye", NETWORK] = MeasureRecord(np.array([0, 40]), values)
            one.history["accuracy_right_only"][:] = 0.5  # of no account, as in subjects who never closed an eye
    return study


@pytest.mark.parametrize(
    ("share", "sees", "expected"),
    [(0.7, 0.8, "holds"), (0.7, 0.5, "does not hold"), (0.9, 0.8, "not in this study")],
)
def test_the_thirty_per_cent_rule_is_tested_by_the_acuity_of_the_eye(share: float, sees: float, expected: str):
    facts = evaluate_facts(part_time(share, sees), load_literature(), "representation")
    assert {one.test.id: one.verdict for one in facts}["mixed_acuity"] == expected


@pytest.mark.parametrize(("share", "tested"), [(0.7, True), (0.75, True), (0.6, False), (0.9, False)])
def test_a_share_at_either_end_of_the_declared_range_counts(share: float, tested: bool):
    facts = evaluate_facts(part_time(share, 0.5), load_literature(), "representation")
    (stereo,) = (one for one in facts if one.test.id == "mixed_stereo")
    assert bool(stereo.tested) is tested, stereo.why  # both eyes open for 20 to 30 % of the time


def test_a_classifier_that_never_had_an_eye_closed_decides_nothing():
    study = without_one_eye(part_time(0.7, 0.5))
    found = {one.test.id: one for one in evaluate_facts(study, load_literature(), "representation")}["mixed_acuity"]
    assert found.verdict == "not in this study" and "--probe one-eye" in found.why and not found.tested


def without_one_eye(study: Study) -> Study:
    for condition in study.conditions:
        for one in condition.subjects:
            one.measures.clear()
    return study


def test_recovery_of_the_deprived_eye_is_told_by_the_readout_or_left_out():
    def found(study: Study) -> dict[str, Recovery]:
        return {one.measure: one for one in recoveries(samples_of(study, "representation"))}

    study = part_time(1.0, 0.5)
    eye = found(study)["deprived eye"]
    assert [point.mean for point in eye.accuracy] == pytest.approx([0.802, 0.502]) and eye.falls
    assert list(found(without_one_eye(study))) == ["both eyes"]


def test_what_one_eye_sees_is_taken_at_its_epoch_or_not_at_all():
    condition = part_time(0.7, 0.6).conditions[1]
    assert seen_alone(condition, "right") == pytest.approx([0.6, 0.602, 0.604])
    assert seen_alone(condition, "left", 40) == pytest.approx([0.9] * 3)
    assert np.isnan(seen_alone(condition, "right", 20)).all()


def test_a_number_without_an_interval_is_undecided():
    study = part_time(0.7, 0.8)
    alone = replace(study, conditions=tuple(replace(c, subjects=c.subjects[:1]) for c in study.conditions))
    facts = {one.test.id: one for one in evaluate_facts(alone, load_literature(), "representation")}
    assert facts["mixed_acuity"].verdict == "undecided" and np.isnan(facts["mixed_acuity"].tested[0].estimate.low)


def test_verdicts_are_given_at_both_ends_of_the_network_and_twins_are_the_yardstick():
    study = study_of({"closed": (MONKEY.shares, phases((13, closed()), (27, None)))})
    for one in study.conditions[0].subjects:
        site = one.sites["representation"]
        one.sites["first_binocular"] = site
        one.sites["representation"] = replace(site, values={**site.values, "rsv": -site.values["rsv"]})
    found = compare_study(study, ["monkey_md_2wk", "kitten_md45_open_1"], site="first_binocular")
    beside = {one.record.id: one for one in found.histograms}
    assert beside["monkey_md_2wk"].verdict == "consistent"
    assert {site: test.verdict for site, test in beside["monkey_md_2wk"].elsewhere.items()} == {
        "representation": "different"
    }
    assert beside["monkey_md_2wk"].twins == () and beside["kitten_md45_open_1"].twins == pytest.approx(
        (0.230,), abs=1e-3
    )


def test_a_study_without_a_counterpart_says_so_and_why():
    found = compare_study(study_of({"late": (NORMAL, phases((20, None), (10, closed())))}))
    facts = {one.test.id: one for one in found.facts}
    assert {one.verdict for one in facts.values()} == {"not in this study"}
    assert "another age" in facts["adult_none"].why and "cat: 8–10.5 weeks" in facts["adult_none"].why
    assert "no condition with this treatment: reverse suture" in facts["reverse_early"].why


def test_closure_at_the_end_of_the_deficit_can_be_compared_instead():
    study = study_of({"closed": (MONKEY.shares, phases((15, closed()), (15, None)))})
    assert [compare_study(study, ["monkey_md_2wk"], at=at).histograms[0].sample.epoch for at in ("end", "deficit")] == [
        30,
        15,
    ]


# --- curves -----------------------------------------------------------------------------------------------------------


def curves_of(made: dict[str, tuple[Sequence[float], list[dict]]]) -> list[CurveComparison]:
    return compare_curves(study_of(made), load_literature(), "representation")


def test_profile_falls_or_does_not_and_nothing_is_said_outside_our_range():
    onsets = {0: 1.0, 10: 0.8, 20: 0.4, 40: 0.0}
    made = {
        f"at{onset}": (mixed(part), phases((onset, None), (5, closed()))) for onset, part in onsets.items() if onset
    }
    made["at0"] = (mixed(1.0), phases((5, closed())))
    made["normal"] = (NORMAL, phases((60, None)))
    curves = {one.id: one for one in curves_of(made)}
    cat = curves["profile_cat"]
    series = cat.series[0]
    np.testing.assert_array_equal(series.epochs, [0, 10, 20, 40])
    assert cat.verdicts == ("holds",) and series.names[0] == "at0"
    assert series.relative()[0].mean == pytest.approx(1) and abs(series.relative()[3].mean) < 0.2
    assert np.isnan(series.at(50)) and np.isnan(curves["profile_ferret"].ours_there[0][0])
    assert series.at(15) == pytest.approx((series.relative()[1].mean + series.relative()[2].mean) / 2)
    backwards = {
        name: (mixed(1 - onsets[int(name[2:])]), lived) for name, (_, lived) in made.items() if name != "normal"
    }
    backwards["normal"] = made["normal"]
    assert [one.verdicts for one in curves_of(backwards) if one.id == "profile_cat"] == [("does not hold",)]


def test_effect_grows_with_the_length_of_closure():
    made = {f"for{n}": (mixed(part), phases((n, closed()), (10, None))) for n, part in ((2, 0.1), (10, 0.7), (30, 1.0))}
    made["normal"] = (NORMAL, phases((60, None)))
    curves = [one for one in curves_of(made) if one.kind == "duration"]
    assert {one.species for one in curves} == {"kitten P29", "ferret", "mouse P28"}
    assert all(one.verdicts == ("holds",) for one in curves)


def test_the_macaques_profile_follows_from_its_histograms():
    points = {round(point.at): point for point in published_profiles(load_literature())["macaque"]}
    assert [point.effect for point in points.values()] == pytest.approx([0.907, 1, 0.557, 0], abs=0.002)
    stated = [row.relative_effect for row in load_literature().profiles["macaque"]]
    assert [point.effect for point in points.values()] == pytest.approx(stated, abs=0.005)
    assert all(not point.from_words and point.low < point.effect < point.high for point in points.values())
    assert all(point.from_words for point in published_profiles(load_literature())["cat"])


def test_rows_without_a_number_are_not_drawn():
    assert [point.at for point in published_durations(load_literature())["kitten P29"]] == [0, 4]


@pytest.mark.parametrize(("arguments", "words"), [
    ({"ids": ["nobody"]}, "nobody"), ({"site": "retina"}, "accepted are representation"),
])  # fmt: skip
def test_what_is_not_there_is_named(arguments: dict, words: str):
    with pytest.raises(BadInput, match=words):
        compare_study(study_of({"normal": (NORMAL, phases((9, None)))}), **arguments)


def test_an_empty_study_is_named():
    attributes = {"title": "Invented", "treated_eye": "right", "complete": 0, "versions": "{}"}
    with pytest.raises(BadInput, match="no subject"):
        compare_study(Study(attributes, (Condition("a", "a", ()),)))


def test_an_animal_is_comparable_at_a_like_age_and_for_a_like_time():
    literature = load_literature()
    of = literature.histograms
    reversal = of["kitten_md45_reverse"]  # from day 45, epoch 14, for seven weeks, 28 epochs
    treated = partial(Treatment, "reverse suture", "right", epochs=80)
    assert unlike(treated(14, 30), reversal, literature) == unlike(treated(10, 60), reversal, literature) == ""
    assert unlike(treated(14, 18), reversal, literature) == "lasted 28 epochs and not 4"
    assert unlike(treated(44, 68), reversal, literature) == "begun 30 epochs earlier"
    assert unlike(treated(8, 14), reversal, literature) == "begun 6 epochs later, lasted 28 epochs and not 6"
    closed = partial(Treatment, "one eye closed", "right", epochs=40)
    born = of["kitten_md45_open_1"]  # closed from birth, but a network has no time before three weeks
    assert unlike(closed(0, 14), born, literature) == ""
    assert unlike(closed(0, 40), born, literature) == "lasted 14 epochs and not 40"
    assert unlike(Treatment("normal", "right", None, None, 40), born, literature) == ""
