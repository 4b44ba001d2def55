"""Deficits: properties that hold for each of them, and what single ones do to images made by hand."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from binocular.protocols.deficits import DEFICITS, Deficit, deficit_from
from binocular.stimuli import LEFT, stream
from tests.handmade import apply

N_CLASSES = 5
share = st.sampled_from([0.0, 0.3, 1.0])
sigma = st.sampled_from([0.0, 0.4, 2.0, 30.0])
size = st.sampled_from([0.5, 1.0, 1.3])
fraction = st.sampled_from([0.0, 0.25, 1.0])
pixels = st.integers(-12, 12)
FIELDS: dict[str, list[dict[str, st.SearchStrategy]]] = {
    "blur": [{"factor": st.sampled_from([1, 1.5, 4, 40]), "share": share}, {"sigma": sigma, "share": share}],
    "occlusion": [{"contrast": fraction, "sigma": sigma, "share": share, "noise": fraction}],
    "inactivation": [{"share": share, "noise": fraction}],
    "noise": [{"sd": fraction, "contrast": fraction, "share": share}],
    "contrast-loss": [{"contrast": fraction, "share": share}],
    "dark": [{"noise": fraction}],
    "dissociation": [
        {
            "label": st.sampled_from(["either", "left", "right"]),
            "labelling": st.sampled_from(["paired", "as-released"]),
            "share": share,
        }
    ],
    "misalignment": [
        {
            "horizontal": pixels,
            "vertical": pixels,
            "changing": st.sampled_from(["never", "batch", "presentation"]),
            "share": share,
        }
    ],
    "alternation": [{"period": st.integers(1, 4), "noise": fraction}],
    "anisometropia": [{"radius": sigma, "size": size, "share": share}],
    "astigmatism": [{"axis": st.sampled_from(["vertical", "horizontal"]), "sigma": sigma, "share": share}],
    "aniseikonia": [{"size": size, "share": share}],
    "rotation": [{"degrees": st.sampled_from([-200, 0, 33.0, 90]), "share": share}],
    "flip": [{"axis": st.sampled_from(["vertical", "horizontal"]), "share": share}],
    "inversion": [{"of": st.sampled_from(["contrast", "colour"]), "share": share}],
    "label-permutation": [{"n_classes": st.just(N_CLASSES), "seed": st.integers(0, 3)}],
    "sham": [{}],
    "patching": [{"share": share, "noise": fraction}, {"share": share, "noise": fraction, "period": st.integers(1, 9)}],
    "penalisation": [{"sigma": sigma, "share": share}],
    "contrast-balance": [{"contrast": fraction, "share": share}],
    "dark-exposure": [{"noise": fraction}],
}


@st.composite
def tables(draw: st.DrawFn, eye: str = "right") -> dict:
    """Draw one table of any kind, done to one eye where the kind has an eye."""
    kind = draw(st.sampled_from(sorted(DEFICITS)))
    table = {"kind": kind, **draw(st.fixed_dictionaries(draw(st.sampled_from(FIELDS[kind]))))}
    if "eye" in DEFICITS[kind].model_fields:
        table["eye"] = eye
    if kind == "alternation":
        table["first"] = eye
    return table


@st.composite
def batches(draw: st.DrawFn) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw views and labels of small and odd sizes."""
    count, channels = draw(st.integers(1, 7)), draw(st.sampled_from([1, 3]))
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    generator = stream(draw(st.integers(0, 100)), "test/views")
    views = torch.randn(count, 2, channels, height, width, generator=generator)
    return views, torch.randint(N_CLASSES, (count,), generator=generator)


def test_every_kind_is_tested() -> None:
    assert set(FIELDS) == set(DEFICITS)


@settings(max_examples=300)
@given(tables(), batches(), st.integers(0, 9))
def test_properties_of_every_deficit(table: dict, given_batch: tuple, number: int) -> None:
    views, labels = given_batch
    views_before, labels_before = views.clone(), labels.clone()
    seen, taught = apply(table, views, labels, batch=number)

    assert seen.shape == views.shape
    assert seen.dtype == views.dtype
    assert taught.shape == labels.shape
    assert taught.dtype == labels.dtype
    assert torch.isfinite(seen).all()
    assert ((taught >= 0) & (taught < N_CLASSES)).all()
    # The input is as it was.
    assert torch.equal(views, views_before)
    assert torch.equal(labels, labels_before)
    # The same generator gives the same batch.
    again, taught_again = apply(table, views, labels, batch=number)
    assert torch.equal(seen, again)
    assert torch.equal(taught, taught_again)
    # The left eye of a deficit of the right eye is untouched, bit for bit.
    if "eye" in table:
        assert torch.equal(seen[:, LEFT], views[:, LEFT])
    if "share" in table and table["share"] == 0:
        assert torch.equal(seen, views)
    # Only noise and a negative of the hue leave the range of what was there.
    if table["kind"] != "noise" and not table.get("noise") and table.get("of") != "colour":
        assert seen.abs().max() <= views.abs().max() * (1 + 1e-5)


@settings(max_examples=200)
@given(tables(eye="right"), batches(), st.integers(0, 5))
def test_left_is_the_mirror_of_right(table: dict, given_batch: tuple, number: int) -> None:
    views, labels = given_batch
    mirrored = {
        key: {"right": "left", "left": "right"}.get(value, value) if isinstance(value, str) else value
        for key, value in table.items()
    }
    if table["kind"] in ("dark", "dark-exposure"):
        table = mirrored = {**table, "noise": 0}  # of a deficit of both eyes each eye draws its own noise
    seen, taught = apply(table, views, labels, batch=number)
    seen_mirrored, taught_mirrored = apply(mirrored, views.flip(1), labels, batch=number)
    assert torch.equal(seen, seen_mirrored.flip(1))
    assert torch.equal(taught, taught_mirrored)


@settings(max_examples=100)
@given(tables(eye="treated"))
def test_treated_and_fellow_are_settled(table: dict) -> None:
    deficit = deficit_from(table)
    right, left = deficit.resolved("right"), deficit.resolved("left")
    for field in {"eye", "first"} & set(table):
        assert (getattr(right, field), getattr(left, field)) == ("right", "left")
    assert right == deficit_from(right.model_dump())
    assert right.sentence()
    assert "treated" not in right.sentence()


def test_an_unsettled_eye_is_refused() -> None:
    views = torch.zeros(1, 2, 1, 4, 4)
    with pytest.raises(ValueError, match="settled first"):
        apply({"kind": "inactivation"}, views, torch.zeros(1, dtype=torch.int64))


# ------------------------------------------------------------------ devices


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("kind", sorted(DEFICITS))
def test_every_deficit_stays_on_its_device(kind: str) -> None:
    views = torch.randn(4, 2, 3, 8, 8, device="cuda", generator=stream(0, "test", device="cuda"))
    labels = torch.arange(4, device="cuda")
    needed = {"blur": {"factor": 4}, "label-permutation": {"n_classes": N_CLASSES}}.get(kind, {})
    deficit = deficit_from({"kind": kind, **needed}).resolved("right")
    seen, taught = deficit(views, labels, stream(0, "test", device="cuda"))
    assert seen.device == views.device
    assert taught.device == labels.device
    assert torch.isfinite(seen).all()


# ------------------------------------------------------------------ descriptions


def test_a_ramp_goes_in_a_straight_line_and_ends_where_it_says() -> None:
    blur = deficit_from({"kind": "blur", "eye": "right", "sigma": 4, "ramp": {"field": "sigma", "to": 0}})
    steps = [blur.at(progress) for progress in (0, 0.25, 1)]
    assert [step.sigma for step in steps] == [4, 3, 0]  # type: ignore[attr-defined]
    assert all(step == deficit_from({"kind": "blur", "eye": "right", "sigma": step.sigma}) for step in steps)  # type: ignore[attr-defined]
    squint = deficit_from(
        {"kind": "misalignment", "eye": "right", "horizontal": 1, "ramp": {"field": "horizontal", "to": 4}}
    )
    assert [squint.at(progress / 4).horizontal for progress in range(5)] == [1, 2, 2, 3, 4]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"kind": "blur"}, "exactly one of 'factor'"),
        ({"kind": "blur", "factor": 4, "sigma": 2}, "exactly one of 'factor'"),
        ({"kind": "dark", "eye": "left"}, "not done to one eye alone"),
        ({"kind": "dissociation", "eye": "both"}, "'treated', 'fellow', 'left' or 'right'"),
        ({"kind": "blurr", "factor": 4}, "did you mean 'blur'"),
        ({"kind": "blur", "factor": 4, "eye": "middle"}, "'left'"),
        ({"kind": "blur", "factr": 4}, "did you mean 'factor'"),
        ({"kind": "blur", "sigma": 4, "ramp": {"field": "eye", "to": 1}}, "must be a strength"),
        ({"kind": "blur", "sigma": 4, "ramp": {"field": "sigma", "to": -1}}, "but must be 0 or more"),
        (
            {"kind": "misalignment", "ramp": {"field": "horizontal", "to": 0.5}},
            "is 0.5, but must be a whole number",
        ),
        ({"kind": "label-permutation"}, "n_classes"),
        ({}, "must be one of"),
        (3, "must be a table"),
    ],
)
def test_what_cannot_be_done_is_refused(table: dict, words: str) -> None:
    with pytest.raises(ValidationError) as error:
        deficit_from(table)
    assert words in str(error.value)


def test_every_deficit_describes_itself() -> None:
    for kind, deficit in DEFICITS.items():
        assert issubclass(deficit, Deficit)
        assert deficit.__doc__
        assert deficit.model_fields["kind"].default == kind
        assert all(field.description for field in deficit.model_fields.values())
