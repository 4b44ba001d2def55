"""Gratings: orientation, frequency and phase measured back from the picture, and the other eye grey."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from binocular.stimuli.base import LEFT, RIGHT
from binocular.stimuli.errors import BadInput
from binocular.stimuli.gratings import Gratings


def only(**fields: object) -> torch.Tensor:
    """Return one grating, seen by the left eye, ``[height, width]``."""
    fields = {"orientations": [0], "phases": [0], "frequencies": [4], "eyes": ["left"]} | fields
    views = Gratings(**fields).present((1, 32, 32)).views
    assert views.shape == (1, 2, 1, 32, 32)
    return views[0, LEFT, 0]


def test_orientation_by_hand() -> None:
    flat, upright, slanted = (only(orientations=[angle]) for angle in (0, 90, 45))
    assert torch.allclose(flat, flat[:, :1].expand(-1, 32), atol=1e-5)  # horizontal bars: the same along a row
    assert not torch.allclose(flat, flat[:1].expand(32, -1), atol=0.1)
    assert torch.allclose(upright, upright[:1].expand(32, -1), atol=1e-5)
    assert torch.allclose(slanted[1:, :-1], slanted[:-1, 1:], atol=1e-5)  # counter-clockwise: up and to the right
    assert not torch.allclose(slanted[1:, 1:], slanted[:-1, :-1], atol=0.1)


@settings(max_examples=40)
@given(angle=st.floats(0, 179), cycles=st.floats(2, 14))
def test_spectrum_peaks_where_it_should(angle: float, cycles: float) -> None:
    picture = only(orientations=[angle], frequencies=[cycles]).double().numpy()
    window = np.hanning(32)
    power = np.abs(np.fft.fft2(picture * window[:, None] * window, s=(256, 256)))
    power[0, 0] = 0
    row, column = np.unravel_index(power[:, :128].argmax(), (256, 128))
    up, right = -np.fft.fftfreq(256)[row] * 32, np.fft.fftfreq(256)[column] * 32
    assert np.hypot(up, right) == pytest.approx(cycles, abs=0.35)
    # The bars run across the direction of the wave.
    bars = (np.degrees(np.arctan2(up, right)) + 90) % 180
    assert min(abs(bars - angle), 180 - abs(bars - angle)) < 30 / cycles


@given(phase=st.floats(-720, 720))
def test_phase_is_that_at_the_centre(phase: float) -> None:
    picture = Gratings(orientations=[0], phases=[phase], frequencies=[2], eyes=["left"]).present((1, 33, 33)).views
    assert picture[0, LEFT, 0, 16, 16].item() == pytest.approx(2 * np.cos(np.radians(phase)), abs=1e-4)


def test_opposite_phases_cancel() -> None:
    assert torch.allclose(only(phases=[30]), -only(phases=[210]), atol=1e-5)


def test_contrast_scales_and_zero_contrast_is_grey() -> None:
    assert torch.allclose(only(contrast=0.25) * 4, only(), atol=1e-5)
    assert not only(contrast=0).any()
    assert only(amplitude=3.0, frequencies=[1], phases=[90]).abs().max() == pytest.approx(3.0, abs=0.1)


def test_the_other_eye_sees_grey() -> None:
    shown = Gratings(eyes=["left", "right", "both"]).present((3, 16, 16))
    eye = shown.parameters["eye"]
    assert shown.views.shape == (3 * 3 * 12 * 4, 2, 3, 16, 16)
    assert not shown.views[eye == "left"][:, RIGHT].any()
    assert not shown.views[eye == "right"][:, LEFT].any()
    assert torch.equal(shown.views[eye == "left"][:, LEFT], shown.views[eye == "right"][:, RIGHT])
    both = shown.views[eye == "both"]
    assert torch.equal(both[:, LEFT], both[:, RIGHT])
    assert torch.equal(shown.views[:, :, 0], shown.views[:, :, 2])


def test_table_describes_each_grating() -> None:
    gratings = Gratings(orientations=[0, 90], phases=[0, 90, 180], frequencies=[2, 4], contrast=0.5)
    shown = gratings.present((1, 16, 16))
    assert shown.grid == (2, 2, 2, 3)
    assert {len(values) for values in shown.parameters.values()} == {24}
    for number in range(24):
        row = {name: values[number] for name, values in shown.parameters.items()}
        alone = Gratings(
            orientations=[row["orientation"]], phases=[row["phase"]], frequencies=[row["cycles_per_image"]],
            eyes=[row["eye"]], contrast=row["contrast"],
        ).present((1, 16, 16))  # fmt: skip
        assert torch.equal(alone.views[0], shown.views[number])
    by_axis = shown.parameters["phase"].reshape(shown.grid)
    assert (by_axis == np.array([0, 90, 180])).all()


def test_units_agree() -> None:
    degrees = Gratings(frequencies=[1.0, 2.0], unit="cycles/degree", degrees_per_pixel=0.1).present((1, 20, 20))
    image = Gratings(frequencies=[2.0, 4.0], degrees_per_pixel=0.1).present((1, 20, 20))
    assert torch.allclose(degrees.views, image.views, atol=1e-6)
    assert degrees.parameters["cycles_per_image"] == pytest.approx(image.parameters["cycles_per_image"])
    assert image.parameters["cycles_per_degree"] == pytest.approx(degrees.parameters["cycles_per_degree"])


@pytest.mark.parametrize("edge", [0.0, 0.25, 1.0])
def test_aperture_is_round_and_grey_outside(edge: float) -> None:
    seen = only(aperture=0.75, edge=edge, frequencies=[0.001])
    place = torch.arange(32) - 15.5
    distance = torch.hypot(place[:, None], place[None])
    assert not seen[distance > 12].any()
    assert (seen[distance < 12 * (1 - edge) - 0.01] > 1.99).all()
    assert torch.allclose(seen, seen.T, atol=1e-5)


def test_only_the_visible_columns_of_each_eye() -> None:
    shown = (
        Gratings(eyes=["both"], visible=6, orientations=[0], phases=[0], frequencies=[1]).present((1, 16, 16)).views[0]
    )
    assert shown[LEFT, 0, :, :6].all()
    assert not shown[LEFT, 0, :, 6:].any()
    assert shown[RIGHT, 0, :, 10:].all()
    assert not shown[RIGHT, 0, :, :10].any()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"frequencies": [9]}, r"9 cycles/image is 0\.562 cycles per pixel.*at most 0\.5, that is 8 cycles/image"),
        ({"frequencies": [6], "unit": "cycles/degree", "degrees_per_pixel": 0.1}, "that is 5 cycles/degree"),
        ({"visible": 17}, "gratings.visible: 17 is more than the 16 columns"),
    ],
)
def test_what_cannot_be_shown_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        Gratings(**fields).present((1, 16, 16))


@pytest.mark.parametrize("fields", [{"orientations": []}, {"contrast": 1.5}, {"eyes": ["third"]}, {"frequencies": [0]}])
def test_bad_fields_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Gratings(**fields)
