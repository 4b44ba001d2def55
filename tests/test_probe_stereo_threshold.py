"""Thresholds of stereopsis: functions that are known, and observers whose thresholds follow from their arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import ndtr, ndtri
from torch import nn

from binocular.probes.psychometric import GUESSING, fit_psychometric
from binocular.probes.stereo_threshold import StereoThreshold
from binocular.stimuli.errors import BadInput
from binocular.stimuli.scenes import StereoScenes
from tests.handmade import Still

LEVELS = np.array([0.05, 0.1, 0.2, 0.3, 0.45, 0.65, 1.0])
MANY = 100_000


def answers(scale: float, slope: float, lapse: float) -> np.ndarray:
    """Return as many right answers of `MANY` at each level as a Weibull function predicts."""
    return MANY * (GUESSING + (0.5 - lapse) * (1 - np.exp(-((LEVELS / scale) ** slope))))


# --- psychometric functions -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scale", "slope", "lapse"), [(0.2, 2.0, 0.0), (0.3, 1.0, 0.0), (0.5, 3.0, 0.1), (0.1, 1.5, 0.2)]
)
def test_a_known_function_is_found_again(scale, slope, lapse):
    found = fit_psychometric(LEVELS, answers(scale, slope, lapse), MANY)
    expected = scale * (-np.log(1 - 0.25 / (0.5 - lapse))) ** (1 / slope)
    assert found.threshold == pytest.approx(expected, rel=0.01) and found.censored == 0
    assert found.sensitivity == pytest.approx(1 / expected, rel=0.01)
    np.testing.assert_allclose(found(LEVELS), answers(scale, slope, lapse) / MANY, atol=0.003)


@pytest.mark.parametrize("lapse", [0.5, 0.3])
def test_who_guesses_or_never_gets_there_has_no_threshold(lapse):
    found = fit_psychometric(LEVELS, answers(0.3, 2.0, lapse), MANY)
    assert np.isnan(found.threshold) and found.censored == -1 and found.sensitivity == 0


def test_a_criterion_met_everywhere_is_censored_at_the_lowest_level():
    found = fit_psychometric(LEVELS, np.full(7, MANY), MANY)
    assert (found.threshold, found.censored, found.sensitivity) == (0.05, 1, 20)


def test_below_what_was_shown_is_not_extrapolated():
    found = fit_psychometric(LEVELS, answers(5.0, 2.0, 0.0), MANY)
    assert found.censored == -1 and found(1.0) == pytest.approx(0.52, abs=0.01)


# --- observers --------------------------------------------------------------------------------------------------------


class Correlator(nn.Module):
    """Answers near or far by the larger of two cross-correlations of the eyes' background, in some rows.

    The background of a near figure lies two pixels to the left in the left eye. All pixels are independent, so that
    with n pairs and an interocular correlation c the difference of the two sums has the mean n c and the variance
    n (2 + c²): a share of Phi(sqrt(n) c / sqrt(2 + c²)) of its answers is right.
    """

    def __init__(self, *rows: int) -> None:
        super().__init__()
        self.rows, self.pairs = list(rows), 14 * len(rows)

    def forward(self, views: torch.Tensor) -> torch.Tensor:
        left, right = views[:, 0, 0, self.rows].double(), views[:, 1, 0, self.rows].double()
        near = (left[..., :-2] * right[..., 2:]).sum((1, 2)) - (left[..., 2:] * right[..., :-2]).sum((1, 2))
        return torch.stack([near, -near, near, -near], 1)


class Exchanged(Correlator):
    def forward(self, views: torch.Tensor) -> torch.Tensor:
        return super().forward(views.flip(1))


class OneEyed(Correlator):
    def forward(self, views: torch.Tensor) -> torch.Tensor:
        return super().forward(views[:, :1].expand(-1, 2, -1, -1, -1))


def scenes(**settings) -> object:
    fields = {"texture": "random", "noise": 0, "radius": 4, "jitter": 0, "n_train": 8, "n_test": 8, "size": 16}
    return StereoScenes.model_validate({**fields, "outlines": ("ring", "cross"), **settings}).build(0)


ALL_ROWS = (0, 1, 2, 3, 12, 13, 14, 15)


def test_a_correlator_has_the_threshold_of_its_arithmetic():
    observer = Correlator(*ALL_ROWS)
    probe = StereoThreshold(correlations=(0.02, 0.05, 0.09, 0.15, 0.3, 0.6), n_scenes=1500)
    found = probe.measure(observer, scenes(), 0, "network")
    n, z = observer.pairs, ndtri(0.75)
    assert found["correlation_threshold"] == pytest.approx(z * np.sqrt(2 / (n - z**2)), rel=0.12)
    expected = ndtr(np.sqrt(n) * found["correlation"] / np.sqrt(2 + found["correlation"] ** 2))
    np.testing.assert_allclose(found["correlation_accuracy"], expected, atol=0.04)


def test_noise_in_the_eyes_raises_the_threshold():
    probe = StereoThreshold(correlations=(0.02, 0.05, 0.1, 0.2, 0.4, 1.0), n_scenes=600)
    quiet, loud = (probe.measure(Correlator(*ALL_ROWS), scenes(noise=s), 0, "network") for s in (0, 1))
    # Noise of the texture's power halves the correlation of what the eyes see.
    assert loud["correlation_threshold"] == pytest.approx(2 * quiet["correlation_threshold"], rel=0.25)


def test_a_fraction_of_a_pixel_is_seen_as_noise_between_its_pixels_predicts():
    probe = StereoThreshold(disparities=(0.25, 0.5, 1.0), n_scenes=2000)
    found = probe.measure(Correlator(0), scenes(), 0, "network")
    np.testing.assert_allclose(found["disparity"], [0.5, 1, 2])
    # White noise moved by d correlates by sinc(d - 2) with itself moved by 2: at half a pixel the other way round.
    signal = np.sinc(found["disparity"] - 2) - np.sinc(found["disparity"] + 2)
    np.testing.assert_allclose(found["disparity_accuracy"], ndtr(np.sqrt(14) * signal / np.sqrt(3)), atol=0.08)
    assert found["disparity_accuracy"][1] == pytest.approx(0.5, abs=0.04)


def test_with_the_eyes_exchanged_near_is_far():
    probe = StereoThreshold(n_scenes=100)
    found, turned = (probe.measure(kind(*ALL_ROWS), scenes(), 0, "network") for kind in (Correlator, Exchanged))
    np.testing.assert_allclose(turned["correlation_accuracy"], 1 - found["correlation_accuracy"])
    assert turned["correlation_censored"] == -1 and found["correlation_censored"] != -1


def test_one_eye_has_no_threshold_of_either_kind():
    found = StereoThreshold().measure(OneEyed(*ALL_ROWS), scenes(), 0, "network")
    for vary in ("correlation", "disparity"):
        assert np.isnan(found[f"{vary}_threshold"]) and found[f"{vary}_sensitivity"] == 0
        np.testing.assert_allclose(found[f"{vary}_accuracy"], 0.5, atol=0.1)


@pytest.mark.parametrize("settings", [{"texture": "photographs"}, {"fixation": "background"}])
def test_what_cannot_be_moved_by_fractions_has_a_correlation_threshold_only(settings):
    found = StereoThreshold(n_scenes=40).measure(Correlator(*ALL_ROWS), scenes(**settings), 0, "network")
    assert np.isfinite(found["correlation_accuracy"]).all()
    assert np.isnan(found["disparity_accuracy"]).all() and np.isnan(found["disparity_sensitivity"])


def test_a_stimulus_without_depth_is_refused():
    with pytest.raises(BadInput, match="accepted: 'stereo-scenes'"):
        StereoThreshold().measure(Correlator(0), Still(), 0, "network")
    with pytest.raises(BadInput, match="disparity is 0"):
        StereoThreshold().measure(Correlator(0), scenes(disparity=0), 0, "network")
