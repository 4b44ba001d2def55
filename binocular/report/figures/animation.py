"""The seven-group histogram through rearing as an animation: GIF, or MP4 where ffmpeg is installed."""

from __future__ import annotations

import math
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from binocular.report.figures.style import BOTH_EYES, EYE_COLOURS, group_colours, style
from binocular.stimuli.errors import BadInput
from binocular.store.sealing import safely
from binocular.store.study import load_study

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["MOST_BYTES", "animate"]

MOST_BYTES = 2_000_000
"""An animation is made smaller until it takes no more than this."""

_DPI = 120
_NARROWEST = 200  # pixels; smaller than that is no picture
_RATE = 20  # frames a second of an MP4


def animate(study: Path | str, out: Path | str, site: str | None = None, most_bytes: int = MOST_BYTES) -> Path:
    """Draw ocular dominance through rearing, all conditions side by side on a common epoch axis, as an animation.

    Bars glide from one checkpoint to the next; see `binocular.report.figures.film.Film`.

    Parameters
    ----------
    study
        A ``study.h5``, or the folder that holds one.
    out
        File to write, ``.gif`` or ``.mp4``.
    site
        Where the units were probed.
    most_bytes
        The picture is made smaller until the file takes no more than this, or can hardly be seen.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    BadInput
        If the study cannot be opened, was not probed at that site, the file's ending is another one, or an MP4 is
        wanted and ffmpeg is not there.
    """
    from binocular.report.figures.film import Film

    out = Path(out)
    if out.suffix.lower() not in (".gif", ".mp4"):
        raise BadInput(f"--out: {out} should end in .gif or .mp4")
    ffmpeg = shutil.which("ffmpeg")
    if out.suffix.lower() == ".mp4" and ffmpeg is None:
        raise BadInput(f"--out: {out}: an MP4 needs the program ffmpeg, which is not installed; a .gif needs nothing")
    loaded = load_study(study)
    site = site or loaded.default_site
    if site not in loaded.sites:
        known = ", ".join(loaded.sites) or "none, it has no subjects"
        raise BadInput(f"--site: the study was not probed at '{site}'; accepted: {known}")
    with style():
        film = Film(loaded, site, _DPI)
        pictures = [film.picture(frame) for frame in film.frames]
    times = [frame.milliseconds for frame in film.frames]
    while True:
        with safely(out) as temporary:
            if out.suffix.lower() == ".gif":
                _write_gif(temporary, pictures, times)
            else:
                _write_mp4(str(ffmpeg), temporary, pictures, times)
            size = temporary.stat().st_size
        if size <= most_bytes or pictures[0].width < _NARROWEST:
            return out
        pictures = _smaller(pictures, 0.95 * math.sqrt(most_bytes / size))


def _smaller(pictures: Sequence[Image], factor: float) -> list[Image]:
    from PIL.Image import Resampling

    size = (int(pictures[0].width * factor), int(pictures[0].height * factor))
    return [picture.resize(size, Resampling.LANCZOS) for picture in pictures]


def _write_gif(path: Path, pictures: Sequence[Image], times: Sequence[int]) -> None:
    from PIL import Image

    # One palette for all frames: what does not move then stays the same to the last pixel, and takes no room.
    palette = Image.new("P", (1, 1))
    palette.putpalette(_palette())
    frames = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    frames[0].save(
        path, "GIF", save_all=True, append_images=frames[1:], duration=list(times), loop=0, optimize=False, disposal=1
    )


def _palette() -> list[int]:
    """Return the colours of these figures, pure and thinned with white.

    A palette made from the pictures themselves would blend the two eyes' colours where one of them is rare.
    """
    from matplotlib.colors import to_rgb

    named = [*EYE_COLOURS.values(), *group_colours(), BOTH_EYES, "#000000", "#595959"]
    inks = np.array([to_rgb(colour) for colour in named])[:, None, :]
    shares = np.array([1, 0.85, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.12])[None, :, None]
    colours = (1 - shares * (1 - inks)).reshape(-1, 3)
    return np.round(255 * np.concatenate([[[1, 1, 1]], colours])).astype(int).ravel().tolist()


def _write_mp4(ffmpeg: str, path: Path, pictures: Sequence[Image], times: Sequence[int]) -> None:
    width, height = (side - side % 2 for side in pictures[0].size)  # the encoder wants even sides
    arguments = ["-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
    arguments += ["-r", str(_RATE), "-i", "-", "-an", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "20"]
    arguments += ["-movflags", "+faststart", "-f", "mp4", str(path)]
    images = (picture.crop((0, 0, width, height)).tobytes() for picture in pictures)
    repeated = [image * max(1, round(time * _RATE / 1000)) for image, time in zip(images, times, strict=True)]
    done = subprocess.run([ffmpeg, *arguments], input=b"".join(repeated), capture_output=True, check=False)
    if done.returncode:
        reason = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"])[-1]
        raise BadInput(f"ffmpeg could not write the MP4: {reason}; a .gif needs no ffmpeg")
