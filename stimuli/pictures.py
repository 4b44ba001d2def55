"""Pictures from elsewhere, one file at a time: upright, square, 8 bits a pixel, with white known and not guessed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from binocular.stimuli.errors import BadInput

if TYPE_CHECKING:
    from PIL import Image

__all__ = [
    "MOST_PIXELS",
    "PICTURE_ENDINGS",
    "Whites",
    "is_grey",
    "opened_picture",
    "path_text",
    "read_picture",
    "size_of_picture",
]

PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm")

MOST_PIXELS = 2**26
"""Of a picture, 8,192 x 8,192: less than fills the memory of a small machine while it is read."""

_ORIENTATION, _BITS_PER_SAMPLE, _PHOTOMETRIC = 0x0112, 258, 262  # tags of EXIF and TIFF
_DEPTHS = (1, 8, 10, 12, 14, 16, 24, 32)
_DEEP_COLOUR = "colour of 16 bits a channel, of which the upper 8 are read"


def path_text(path: Path) -> str:
    r"""Return a path as text that can be written anywhere; bytes that are not UTF-8 are shown as ``\\xNN``."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


@dataclass
class Whites:
    """What counts as white in pictures with more than 8 bits, and how bright those read so far are.

    Files do not say how many of their bits a camera filled: 12 bits stored in 16 would come out as next to black. The
    depth is therefore declared, or that of the file is taken and checked over the set: if no pixel of any picture
    reaches the upper half of the range, it is not the range that was used.

    Attributes
    ----------
    bit_depth
        Bits in use, as declared; white is ``2 ** bit_depth - 1``. None for what the files say.
    """

    bit_depth: int | None = None
    _seen: dict[str, tuple[int, float, float]] = field(default_factory=dict)

    def of(self, image: Image.Image, path: Path, brightest: float) -> float:
        """Return the value of white in a deep picture without colour."""
        if self.bit_depth is not None:
            return 2.0**self.bit_depth - 1
        if image.mode == "F":
            return 1.0
        if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
            bits = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (16,))
            return 2.0 ** int(bits[0] if isinstance(bits, tuple) else bits) - 1
        raise BadInput(
            f"{path_text(path)} holds whole numbers up to {brightest:g} without saying which is white; set "
            f"stimulus.bit_depth to the bits in use, such as {_guess(brightest)}"
        )

    def note(self, kind: str, brightest: float, white: float) -> None:
        """Remember how bright a picture was."""
        count, most, _ = self._seen.get(kind, (0, 0.0, white))
        self._seen[kind] = (count + 1, max(most, brightest), white)

    def check(self, where: Path) -> None:
        """Raise ``BadInput`` if the pictures read so far do not fill the range that was taken for theirs."""
        if self.bit_depth is not None:
            return
        for kind, (count, most, white) in self._seen.items():
            if most >= white / 2:
                continue
            if kind == _DEEP_COLOUR:
                advice = "save them with 8 bits a channel"
            else:
                declared = 1 if white == 1 else round(np.log2(white + 1))
                advice = (
                    f"set stimulus.bit_depth to the bits in use: {_guess(most)} for a white of "
                    f"{2 ** _guess(most) - 1}, or {declared} if they are that dark"
                )
            raise BadInput(
                f"{path_text(where)}: in {count} picture{'s' * (count > 1)} ({kind}) no pixel is above {most:g} of "
                f"{white:g}; {advice}"
            )


def _guess(brightest: float) -> int:
    """Return the least usual number of bits that holds a value."""
    return next((bits for bits in _DEPTHS if brightest <= 2**bits - 1), _DEPTHS[-1])


@contextmanager
def opened_picture(path: Path) -> Iterator[Image.Image]:
    """Open a picture; whatever Pillow makes of a damaged or a huge file becomes ``BadInput`` with its name."""
    from PIL import Image, UnidentifiedImageError

    refused = f"{path_text(path)} cannot be read as a picture"
    huge = f"{refused} (it has more than {MOST_PIXELS:,} pixels); accepted is one that was scaled down"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.filterwarnings("error", message="Corrupt EXIF data")
            with Image.open(path) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise BadInput(huge)
                yield image
    except BadInput:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadInput(huge) from None
    except MemoryError:
        raise BadInput(f"{refused} (there is not enough memory for it)") from None
    except UnidentifiedImageError:
        raise BadInput(f"{refused} (its content is none); accepted are PNG, JPEG, TIFF and the like") from None
    except Exception as error:  # decoders of damaged files raise anything, struct.error and TypeError among it
        reason = str(error).replace(repr(str(path)), "it") or type(error).__name__
        raise BadInput(f"{refused} ({reason})") from None


def read_picture(
    path: Path, size: int, grey: bool, bit_depth: int | None = None, whites: Whites | None = None
) -> np.ndarray:
    """Read a picture and bring it to a square: the middle of it, as large as fits, scaled.

    Parameters
    ----------
    path
        A file with one of ``PICTURE_ENDINGS``.
    size
        Height and width in pixels.
    grey
        One channel of luminance; else three of colour.
    bit_depth
        Bits in use where there are more than 8 in the file; see ``Whites``.
    whites
        Of the set that the picture belongs to, in place of ``bit_depth``; its ``check`` is then up to the caller.

    Returns
    -------
    numpy.ndarray
        ``[channels, size, size]`` uint8, turned upright as EXIF says. Transparent parts lie on white.

    Raises
    ------
    BadInput
        If the file is no picture, a damaged or a huge one, or it is not known which of its values is white.
    """
    from PIL import Image, ImageOps

    own = whites is None
    whites = Whites(bit_depth) if whites is None else whites
    with opened_picture(path) as image:
        raw = _raw_mode(image)
        image.load()
        # Cameras store how they were held beside the pixels; what is done to a picture below would lose it.
        turn = _TURNS.get(image.getexif().get(_ORIENTATION, 1))
        transparent = image.mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in image.info
        if image.mode[0] in "IF":
            flat = Image.fromarray(_eight_bits(image, path, whites))
        elif transparent:
            opaque = image.convert("RGBA")
            flat = Image.alpha_composite(Image.new("RGBA", opaque.size, "white"), opaque)
        else:
            flat = image
        flat = flat.convert("L" if grey else "RGB")
        if ";16" in raw and image.mode[0] not in "IF":
            if whites.bit_depth not in (None, 16):
                raise BadInput(
                    f"{path_text(path)} holds {_DEEP_COLOUR}, so that stimulus.bit_depth = {whites.bit_depth} cannot "
                    "be followed; save it with 8 bits a channel"
                )
            whites.note(_DEEP_COLOUR, float(np.asarray(flat).max(initial=0)), 255.0)
        upright = flat if turn is None else flat.transpose(Image.Transpose[turn])
        square = ImageOps.fit(upright, (size, size), Image.Resampling.LANCZOS)
    if own:
        whites.check(path)
    pixels = np.asarray(square, dtype=np.uint8)
    return pixels[None] if grey else pixels.transpose(2, 0, 1)


_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
"""Orientation of EXIF -> what turns the picture upright."""


def _raw_mode(image: Image.Image) -> str:
    """Return how pixels are stored in the file, such as ``"RGB;16B"``, or nothing where Pillow does not say."""
    tile = getattr(image, "tile", None)
    found = tile[0][3] if tile else ""
    found = found[0] if isinstance(found, tuple) and found else found
    return found if isinstance(found, str) else ""


def _eight_bits(image: Image.Image, path: Path, whites: Whites) -> np.ndarray:
    """Return a deep picture without colour as ``[height, width]`` uint8."""
    values = np.asarray(image, dtype=np.float64)
    if not np.isfinite(values).all() or values.min(initial=0) < 0:
        raise BadInput(f"{path_text(path)} holds values below 0 or not finite; accepted are brightnesses from 0 up")
    brightest = float(values.max(initial=0))
    white = whites.of(image, path, brightest)
    if brightest > white:
        which = "stimulus.bit_depth says" if whites.bit_depth is not None else "pictures of its kind have"
        raise BadInput(
            f"{path_text(path)} holds values up to {brightest:g}, above the white of {white:g} that {which}; set "
            f"stimulus.bit_depth to the bits in use, such as {_guess(brightest)}"
        )
    if getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == 0 and image.mode != "F":  # TIFF whose zero is white
        values = white - values
        brightest = float(values.max(initial=0))
    whites.note("floats" if image.mode == "F" else f"{np.log2(white + 1):.0f} bits a pixel", brightest, white)
    return np.round(values * (255 / white)).astype(np.uint8)


def is_grey(path: Path) -> bool:
    """Say whether a picture is stored without colour; only its header is read.

    Parameters
    ----------
    path
        A file with one of ``PICTURE_ENDINGS``.

    Raises
    ------
    BadInput
        If the file is no picture, or a huge one.
    """
    with opened_picture(path) as image:
        return image.mode in {"1", "L", "LA", "F"} or image.mode.startswith("I")


def size_of_picture(path: Path) -> tuple[int, int]:
    """Return width and height of a picture as it is stored, in pixels; only its header is read.

    Parameters
    ----------
    path
        A file with one of ``PICTURE_ENDINGS``.

    Raises
    ------
    BadInput
        If the file is no picture, or a huge one.
    """
    with opened_picture(path) as image:
        return image.size
