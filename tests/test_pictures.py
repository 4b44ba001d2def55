"""Pictures from elsewhere: upright, of known depth, named when they cannot be read, the same on every machine."""

from __future__ import annotations

import os
import struct
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from binocular.stimuli.datasets import load_images
from binocular.stimuli.errors import BadInput
from binocular.stimuli.folders import divide
from binocular.stimuli.images import Request
from binocular.stimuli.pictures import is_grey, read_picture

RAMP = np.linspace(0, 1, 32)[None].repeat(32, 0)


def save(path: Path, values: np.ndarray, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path, **options)
    return path


def folder_of(root: Path, values: np.ndarray, ending: str = "png", n: int = 6) -> Path:
    for name in ("cats", "dogs"):
        for number in range(n):
            save(root / name / f"{number}.{ending}", values)
    return root


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["L", "LA", "RGB", "RGBA", "P", "16 bits", "float"])
def test_every_mode_is_turned_upright(tmp_path: Path, kind: str, orientation: int) -> None:
    shown = np.zeros((32, 32), np.uint8)
    shown[:8, :16] = 200  # light only at the top left, wider than high
    stored = {
        1: shown,
        2: shown[:, ::-1],
        3: shown[::-1, ::-1],
        4: shown[::-1],
        5: shown.T,
        6: np.rot90(shown),
        7: shown[::-1, ::-1].T,
        8: np.rot90(shown, -1),
    }[orientation]
    stored = np.ascontiguousarray(stored)
    if kind == "16 bits":
        image, ending = Image.fromarray(stored.astype(np.uint16) * 257), "png"
    elif kind == "float":
        image, ending = Image.fromarray((stored / 255).astype(np.float32)), "tif"
    else:
        image, ending = Image.fromarray(stored).convert(kind), "png"
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"x.{ending}"
    image.save(path, exif=exif)
    assert np.abs(read_picture(path, 32, grey=True)[0].astype(int) - shown).max() <= 1


@pytest.mark.parametrize(
    ("values", "ending", "bits"),
    [
        ((RAMP * 4095).astype(np.uint16), "png", 12),
        ((RAMP * 1023).astype(np.uint16), "tif", 10),
        ((RAMP * 255).astype(np.int32), "tif", 8),
        ((RAMP * 65535).astype(np.int32), "tif", 16),
        ((RAMP * 255).astype(np.float32), "tif", 8),
        ((RAMP * 0.4).astype(np.float32), "tif", 1),
    ],
)
def test_an_unknown_depth_is_asked_for_and_a_declared_one_followed(
    tmp_path: Path, values: np.ndarray, ending: str, bits: int
) -> None:
    root = folder_of(tmp_path, values, ending)
    with pytest.raises(BadInput, match=rf"stimulus\.bit_depth to the bits in use.* {bits}\b"):
        load_images("folder", Request(path=str(root), size=32))
    images = load_images("folder", Request(path=str(root), size=32, bit_depth=bits)).images["train"]
    assert np.abs(images[0, 0].astype(int) - np.round(values / (2**bits - 1) * 255)).max() <= 1


@pytest.mark.parametrize(
    ("values", "ending"),
    [((RAMP * 65535).astype(np.uint16), "png"), (RAMP.astype(np.float32), "tif")],
)
def test_a_depth_that_is_filled_is_read_from_the_file(tmp_path: Path, values: np.ndarray, ending: str) -> None:
    root = folder_of(tmp_path, values, ending)
    save(root / "cats" / f"dark.{ending}", (values * 0.01).astype(values.dtype))  # one dark picture of many is no doubt
    images = load_images("folder", Request(path=str(root), size=32)).images["train"]
    assert images.shape[1] == 1
    assert images.max() == 255


def test_the_depth_is_that_of_the_file(tmp_path: Path) -> None:
    values = np.round(RAMP * 4095).astype(">u2")
    path = tmp_path / "x.pgm"
    path.write_bytes(b"P5\n32 32\n4095\n" + values.tobytes())  # the header says which is white
    assert np.abs(read_picture(path, 32, grey=True)[0] - RAMP * 255).max() <= 1
    turned = Image.fromarray(np.round(RAMP * 65535).astype(np.uint16))
    turned.save(tmp_path / "x.tif", tiffinfo={262: 0})  # zero is white
    assert np.abs(read_picture(tmp_path / "x.tif", 32, grey=True)[0] - RAMP[:, ::-1] * 255).max() <= 1


def test_values_that_no_depth_explains_are_refused(tmp_path: Path) -> None:
    for values, words in (
        (np.full((8, 8), np.nan, np.float32), "not finite"),
        (np.full((8, 8), -1, np.int32), "below 0"),
    ):
        with pytest.raises(BadInput, match=words):
            read_picture(save(tmp_path / "x.tif", values), 8, True, 16)
    with pytest.raises(BadInput, match=r"up to 300, above the white of 255 that stimulus\.bit_depth says"):
        read_picture(save(tmp_path / "x.png", np.full((8, 8), 300, np.uint16)), 8, True, 8)


def png_of_deep_colour(path: Path, brightest: int) -> None:
    import zlib

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    row = b"\0" + struct.pack(">H", brightest) * 3 * 8
    header = struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(row * 8))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b""))


def test_deep_colour_that_would_come_out_black_is_refused(tmp_path: Path) -> None:
    png_of_deep_colour(tmp_path / "x.png", 4095)
    with pytest.raises(BadInput, match=r"x\.png.*colour of 16 bits .*save them with 8 bits"):
        read_picture(tmp_path / "x.png", 8, grey=False)
    with pytest.raises(BadInput, match=r"bit_depth = 12 cannot be followed"):
        read_picture(tmp_path / "x.png", 8, False, 12)
    png_of_deep_colour(tmp_path / "x.png", 60_000)
    assert (read_picture(tmp_path / "x.png", 8, grey=False) == 60_000 // 256).all()


def test_malformed_exif_and_huge_pictures_are_named(tmp_path: Path) -> None:
    whole = save(tmp_path / "whole.jpg", np.zeros((8, 8), np.uint8)).read_bytes()
    # An entry of EXIF that says it holds text where a whole number is expected.
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x04soft\0\0\0\0"
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    (tmp_path / "exif.jpg").write_bytes(whole[:2] + segment + whole[2:])
    (tmp_path / "bomb.pgm").write_bytes(b"P5\n20000 10000\n255\n")
    (tmp_path / "large.pgm").write_bytes(b"P5\n10000 10000\n255\n")  # of which Pillow only warns
    (tmp_path / "camera.pgm").write_bytes(b"P5\n9000 8000\n255\n")  # of which Pillow says nothing
    for name in ("bomb.pgm", "large.pgm", "camera.pgm"):
        for read in (lambda path: read_picture(path, 8, grey=True), is_grey):
            with pytest.raises(BadInput, match=f"{name} cannot be read as a picture .*more than 67,108,864 pixels"):
                read(tmp_path / name)
    (tmp_path / "empty.png").write_bytes(b"")
    with pytest.raises(
        BadInput, match=r"empty\.png cannot be read as a picture \(its content is none\); accepted are PNG"
    ):
        read_picture(tmp_path / "empty.png", 8, grey=True)
    picture = read_picture(tmp_path / "exif.jpg", 8, grey=True)  # an orientation that is none turns nothing
    assert picture.shape == (1, 8, 8)


@pytest.mark.parametrize("error", [struct.error("x"), TypeError("x"), KeyError("x"), IndexError("x"), OverflowError()])
def test_whatever_a_decoder_raises_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    path = save(tmp_path / "odd.png", np.zeros((8, 8), np.uint8))

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(Image.Image, "getexif", fail)
    with pytest.raises(BadInput, match=r"odd\.png cannot be read as a picture"):
        read_picture(path, 8, grey=True)


def test_companions_of_the_system_are_passed_over_and_counted(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "set", (RAMP * 255).astype(np.uint8))
    expected = load_images("folder", Request(path=str(root)))
    assert expected.notes == ()
    for companion in ("cats/._0.png", "cats/.DS_Store", "dogs/Thumbs.db", "._cats", "__MACOSX/cats/0.png"):
        (root / companion).parent.mkdir(parents=True, exist_ok=True)
        (root / companion).write_bytes(b"not a picture")
    (root / "dogs" / "@eaDir").mkdir()
    (root / "dogs" / "notes.txt").write_text("not a picture")
    found = load_images("folder", Request(path=str(root)))
    assert found.class_names == expected.class_names
    assert np.array_equal(found.images["test"], expected.images["test"])
    assert [note.rpartition(": ")[2] for note in found.notes] == [
        "passed over 6 companions of the system",
        "passed over 1 files that do not end with .png, .jpg, .jpeg, .bmp, .tif, .tiff, .webp, .ppm, .pgm",
    ]


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="all names are Unicode there")
def test_names_that_are_not_utf_8(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "set", (RAMP * 255).astype(np.uint8))
    odd = Path(os.fsdecode(os.fsencode(root) + b"/v\xf6gel"))
    (root / "cats").rename(odd)
    (odd / "0.png").rename(Path(os.fsdecode(os.fsencode(odd) + b"/\xe9.png")))
    data = load_images("folder", Request(path=str(root)))
    assert data.class_names == ("dogs", "v\\xf6gel")
    assert len(data.labels["train"]) + len(data.labels["test"]) == 12
    (odd / "1.png").write_bytes(b"torn")
    with pytest.raises(BadInput) as caught:
        load_images("folder", Request(path=str(root)))
    str(caught.value).encode()


def test_composed_and_decomposed_names_are_the_same_names() -> None:
    names = [f"Vögel/é{number:02d}.png" for number in range(40)]

    def parts(form: str) -> dict[str, list[str]]:
        files = [Path(unicodedata.normalize(form, name)) for name in names]  # type: ignore[arg-type]
        return {
            part: [unicodedata.normalize("NFC", str(path)) for path in paths]
            for part, paths in divide(files[::-1], Path("x")).items()
        }

    assert parts("NFC") == parts("NFD")
    assert parts("NFC")["test"]


def test_train_and_test_hold_the_same_classes(tmp_path: Path) -> None:
    for part in ("train", "test"):
        folder_of(tmp_path / part, (RAMP * 255).astype(np.uint8), n=3)
    folder_of(tmp_path / "test" / "birds", (RAMP * 255).astype(np.uint8), n=1)
    with pytest.raises(BadInput, match="train/birds is missing"):
        load_images("folder", Request(path=str(tmp_path)))
