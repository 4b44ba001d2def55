"""Textures: mean, contrast, spectrum, and that no window tells where in its patch it lies."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from binocular.stimuli import photographs
from binocular.stimuli.errors import BadInput
from binocular.stimuli.photographs import PHOTOGRAPHS, TEXTURED, locally_normalised, photograph, photograph_file
from binocular.stimuli.streams import stream
from binocular.stimuli.textures import draw_textures, moved_noise, power_law_noise

KINDS = ("photographs", "random", "1/f")


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a photograph was looked for on the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr("pooch.retrieve", refuse)
    monkeypatch.setattr("pooch.core.Pooch.fetch", refuse)
    photograph.cache_clear()
    photographs._texture.cache_clear()
    yield


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_photographs_are_read_from_the_wheel(name: str) -> None:
    image = photograph(name)
    assert image.dtype == np.float32
    assert image.ndim == 2
    assert min(image.shape) >= 300
    assert image.min() >= 0
    assert image.max() <= 1
    assert image.std() > 0.03


def test_camera_is_what_scikit_image_shows() -> None:
    from skimage.io import imread

    shown = imread(photograph_file("camera"))
    assert np.array_equal(photograph("camera"), shown.astype(np.float32) / 255)


def test_unknown_photograph_is_named() -> None:
    with pytest.raises(BadInput, match="no photograph 'lena'; accepted are astronaut, brick"):
        photograph("lena")


def test_missing_and_damaged_photographs_are_named(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(photographs.PHOTOGRAPHS, "lost", "lost.png")
    with pytest.raises(BadInput, match=r"lost\.png is missing"):
        photograph("lost")
    damaged = tmp_path / "camera.png"
    damaged.write_bytes(photograph_file("camera").read_bytes()[:5000])
    monkeypatch.setattr(photographs, "photograph_file", lambda _: damaged)
    photograph.cache_clear()
    with pytest.raises(BadInput, match=r"camera\.png cannot be read as an image"):
        photograph("camera")


@pytest.mark.parametrize("name", TEXTURED)
def test_gain_control_evens_out_luminance_and_contrast(name: str) -> None:
    image = locally_normalised(name, 4.0)
    blocks = image[: image.shape[0] // 64 * 64, : image.shape[1] // 64 * 64]
    blocks = blocks.reshape(blocks.shape[0] // 64, 64, -1, 64)
    assert np.abs(blocks.mean((1, 3))).max() < 0.15
    assert blocks.std((1, 3)).min() > 0.2


@pytest.mark.parametrize("kind", KINDS)
def test_textures_have_mean_0_and_variance_1(kind: str) -> None:
    textures = draw_textures(kind, 4000, 16, 18, stream(0, "test"))
    assert textures.shape == (4000, 16, 18)
    assert textures.dtype == torch.float32
    assert abs(textures.mean()) < 0.02
    assert abs(textures.std() - 1) < 0.02


@pytest.mark.parametrize("kind", KINDS)
def test_same_stream_same_textures(kind: str) -> None:
    one, again, other = (draw_textures(kind, 20, 12, 14, stream(seed, "test")) for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def lopsidedness(textures: torch.Tensor) -> float:
    """Return by how many standard errors the two ends of patches differ in mean times (left minus right border)."""

    def statistic(window: torch.Tensor) -> torch.Tensor:
        return window.mean((1, 2)) * (window[..., 0].mean(1) - window[..., -1].mean(1))

    difference = statistic(textures[..., :8]) - statistic(textures[..., -8:])
    return abs(difference.mean() / difference.std()).item() * len(textures) ** 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_no_window_tells_on_which_side_of_its_patch_it_lies(kind: str) -> None:
    assert lopsidedness(draw_textures(kind, 40_000, 8, 12, stream(3, "test"))) < 4


def test_patches_normalised_as_a_whole_do_tell() -> None:
    # The known mean of the patch gives away the mean of the columns that a window does not show.
    textures = draw_textures("1/f", 40_000, 8, 12, stream(3, "test"))
    assert lopsidedness(textures - textures.mean((1, 2), keepdim=True)) > 40


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 2.0])
def test_power_law_noise_has_the_exponent(exponent: float) -> None:
    noise = power_law_noise(400, 64, 64, exponent, stream(0, "test"))
    window = torch.hann_window(64, periodic=False)
    power = torch.fft.fft2(noise * window[:, None] * window).abs().square().mean(0)
    frequency = torch.hypot(torch.fft.fftfreq(64)[:, None], torch.fft.fftfreq(64)[None])
    fitted = (frequency > 0.06) & (frequency < 0.4)
    slope = np.polyfit(np.log(frequency[fitted].numpy()), np.log(power[fitted].numpy()) / 2, 1)[0]
    assert slope == pytest.approx(-exponent, abs=0.12)


def test_power_law_noise_does_not_wrap_round() -> None:
    noise = power_law_noise(4000, 16, 16, 1.0, stream(0, "test"))
    across_the_edge = (noise[..., 0] * noise[..., -1]).mean()
    neighbours = (noise[..., 0] * noise[..., 1]).mean()
    assert neighbours > 0.3
    assert abs(across_the_edge) < 0.5 * neighbours


def test_too_large_textures_are_refused() -> None:
    with pytest.raises(BadInput, match="do not fit into the photograph"):
        draw_textures("photographs", 100, 500, 500, stream(0, "test"))


@pytest.mark.parametrize("texture", ["random", "1/f"])
def test_noise_moved_by_whole_pixels_is_itself_and_by_fractions_keeps_its_power(texture: str) -> None:
    shift = torch.tensor([[0.0, 3.0, -2.0, 0.5]]).repeat(600, 1)
    still, right, left, half = moved_noise(texture, 12, 16, stream(0, "test"), shift, 0.5).unbind(1)
    torch.testing.assert_close(right[..., 3:], still[..., :-3])
    torch.testing.assert_close(left[..., :-2], still[..., 2:])
    assert half.var() == pytest.approx(still.var().item(), rel=0.05)
    assert (half - still).abs().mean() > 0.3


def test_photographs_are_not_known_between_their_pixels() -> None:
    with pytest.raises(ValueError, match="fractions of a pixel"):
        moved_noise("photographs", 8, 8, stream(0, "test"), torch.zeros(2, 2))
