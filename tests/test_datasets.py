"""Image sets: read in their published formats, found where they lie, refused where damaged."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from binocular.stimuli import datasets, formats, places
from binocular.stimuli.datasets import load_images
from binocular.stimuli.errors import BadInput
from binocular.stimuli.folders import divide
from binocular.stimuli.formats import read_cifar10, read_idx, read_picture
from binocular.stimuli.images import ImageData, Request, take_turns
from binocular.stimuli.photographs import PHOTOGRAPHS, photograph

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
RECORDS = 30


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Look for data sets in no place of this machine, and never on the network."""
    monkeypatch.delenv("BINOCULAR_DATA", raising=False)
    for name in ("CIFAR10", "FASHION_MNIST"):
        source = getattr(places, name)
        bare = places.DataSource(**{**vars(source), "system": (str(tmp_path / "usr" / name),)})
        monkeypatch.setattr(datasets, name, bare)
    monkeypatch.setattr("pooch.os_cache", lambda _: tmp_path / "cache")

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("nothing may be downloaded")

    monkeypatch.setattr("pooch.retrieve", refuse)


# --- IDX ------------------------------------------------------------------------------------------------------------


def idx(values: np.ndarray) -> bytes:
    header = struct.pack(">HBB", 0, 8, values.ndim) + struct.pack(f">{values.ndim}I", *values.shape)
    return header + values.astype(np.uint8).tobytes()


def fashion(folder: Path, zipped: bool = True, n_train: int = 40, n_test: int = 20, dot: bool = False) -> ImageData:
    """Write a set in the format of Fashion-MNIST; the first pixel of an image is its number."""
    folder.mkdir(parents=True, exist_ok=True)
    images, labels = {}, {}
    for part, stem, n in (("train", "train", n_train), ("test", "t10k", n_test)):
        images[part] = np.random.default_rng(n).integers(0, 256, (n, 28, 28), np.uint8)
        images[part][:, 0, 0] = np.arange(n)
        labels[part] = np.arange(n)[::-1] % 10
        for what, values in (("images", images[part]), ("labels", labels[part])):
            name = f"{stem}-{what}{'.' if dot else '-'}idx{values.ndim}-ubyte"
            content = idx(values)
            (folder / (name + ".gz" * zipped)).write_bytes(gzip.compress(content, mtime=0) if zipped else content)
    return ImageData(images, labels, ())


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("dot", [True, False])
def test_fashion_mnist_from_idx_files(tmp_path: Path, zipped: bool, dot: bool) -> None:
    written = fashion(tmp_path, zipped, dot=dot)
    read = load_images("fashion-mnist", Request(path=str(tmp_path)))
    assert read.class_names[9] == "ankle boot"
    for part, n in (("train", 40), ("test", 20)):
        assert read.images[part].shape == (n, 1, 28, 28)
        assert read.images[part].dtype == np.uint8
        assert read.labels[part].dtype == np.int64
        number = read.images[part][:, 0, 0, 0]
        assert sorted(number) == list(range(n))
        assert np.array_equal(read.images[part][:, 0], written.images[part][number])
        assert np.array_equal(read.labels[part], written.labels[part][number])


@given(st.lists(st.integers(0, 6), min_size=3, max_size=3), st.booleans())
def test_idx_files_of_any_shape(tmp_path_factory: pytest.TempPathFactory, shape: list[int], zipped: bool) -> None:
    values = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(gzip.compress(idx(values), mtime=0) if zipped else idx(values))
    assert np.array_equal(read_idx(path, 3), values)


GOOD = idx(np.arange(24).reshape(2, 3, 4))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not an IDX file of 3 dimensions: it begins with nothing"),
        (b"\x89PNG" + GOOD, "it begins with 89504e47, not with 00000803"),
        (idx(np.arange(24)), "it begins with 00000801, not with 00000803"),
        (GOOD[:9], "cut short within its header"),
        (GOOD[:-1], "its header states 24 bytes and it holds 23"),
        (GOOD + b"\x00", "its header states 24 bytes and it holds more"),
        (b"\x00\x00\x08\x03" + b"\xff" * 12, "is damaged: its header states 4294967295 x"),
        (gzip.compress(GOOD, mtime=0)[:-9], "cannot be read"),
        (gzip.compress(GOOD, mtime=0)[:20] + b"\x00" * 30, "cannot be read"),
        (gzip.compress(GOOD[:-1], mtime=0), "it holds 23"),
    ],
)
def test_damaged_idx_files_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=message) as refusal:
        read_idx(path, 3)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_missing_file_and_unequal_numbers_are_named(tmp_path: Path) -> None:
    fashion(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(idx(np.zeros(19)))
    with pytest.raises(BadInput, match=r"t10k-labels-idx1-ubyte.gz holds 19 labels for 20 images"):
        load_images("fashion-mnist", Request(path=str(tmp_path)))
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(idx(np.full(20, 10)))
    with pytest.raises(BadInput, match="holds the label 10; Fashion-MNIST has the labels 0 to 9"):
        load_images("fashion-mnist", Request(path=str(tmp_path)))
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(BadInput, match="holds no labels of the test part"):
        load_images("fashion-mnist", Request(path=str(tmp_path)))


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="the Debian package dataset-fashion-mnist is not installed")
def test_fashion_mnist_as_debian_installs_it() -> None:
    data = load_images("fashion-mnist", Request(path=str(DEBIAN), n_train=2000))
    assert data.images["train"].shape == (2000, 1, 28, 28)
    assert data.images["test"].shape == (10_000, 1, 28, 28)
    assert np.bincount(data.labels["train"]).tolist() == [200] * 10
    assert np.bincount(data.labels["test"]).tolist() == [1000] * 10
    # A trouser is narrow and tall, a sneaker wide and flat: images and labels belong together.
    spread = {
        name: (data.images["test"][data.labels["test"] == data.class_names.index(name), 0] > 30).mean(0)
        for name in ("trouser", "sneaker")
    }
    assert spread["trouser"].any(0).sum() > 0
    assert spread["trouser"].max(0)[:4].max() < 0.2 < 0.5 < spread["sneaker"].max(0)[2:4].max()
    assert spread["sneaker"].max(1)[:4].max() < 0.2 < 0.5 < spread["trouser"].max(1)[2:4].max()


# --- CIFAR-10 -------------------------------------------------------------------------------------------------------


@pytest.fixture
def short_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "CIFAR10_RECORDS", RECORDS)


def cifar_batch(number: int, records: int = RECORDS) -> bytes:
    """Return a batch whose images are red, with their number in the green channel's last pixel."""
    batch = np.zeros((records, 3073), np.uint8)
    batch[:, 0] = np.arange(records) % 10
    batch[:, 1 : 1 + 1024] = 200
    batch[:, 1 + 2047] = number * records + np.arange(records)
    return batch.tobytes()


def cifar(folder: Path, archive: bool) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    names = [*formats.CIFAR10_TRAIN, *formats.CIFAR10_TEST]
    contents = {name: cifar_batch(number) for number, name in enumerate(names)} | {"readme.html": b"about"}
    if not archive:
        for name, content in contents.items():
            (folder / name).write_bytes(content)
        return folder
    with tarfile.open(folder / "cifar-10-binary.tar.gz", "w:gz") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return folder / "cifar-10-binary.tar.gz"


@pytest.mark.usefixtures("short_batches")
@pytest.mark.parametrize("archive", [True, False])
def test_cifar_10_from_its_binary_version(tmp_path: Path, archive: bool) -> None:
    place = cifar(tmp_path / "cifar-10-batches-bin", archive)
    for path in (place, tmp_path / "cifar-10-batches-bin", tmp_path):
        data = load_images("cifar-10", Request(path=str(path)))
        assert data.images["train"].shape == (5 * RECORDS, 3, 32, 32)
        assert data.images["test"].shape == (RECORDS, 3, 32, 32)
        assert (data.images["train"][:, 0] == 200).all()
        assert not data.images["train"][:, 2].any()
        numbers = data.images["train"][:, 1, -1, -1].astype(int)
        assert sorted(numbers) == list(range(5 * RECORDS))
        assert np.array_equal(numbers % RECORDS % 10, data.labels["train"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cifar-10-batches-bin"]  # nothing was unpacked


def test_cifar_10_batches_hold_ten_thousand_records(tmp_path: Path) -> None:
    path = tmp_path / "test_batch.bin"
    path.write_bytes(cifar_batch(0, 10_000))
    images, labels = read_cifar10(tmp_path, formats.CIFAR10_TEST)
    assert images.shape == (10_000, 3, 32, 32)
    assert np.bincount(labels).tolist() == [1000] * 10
    path.write_bytes(path.read_bytes()[:-3073])
    with pytest.raises(BadInput, match=r"test_batch\.bin holds 30726927 bytes instead of 30730000"):
        read_cifar10(tmp_path, formats.CIFAR10_TEST)


@pytest.mark.usefixtures("short_batches")
def test_damaged_cifar_10_is_named(tmp_path: Path) -> None:
    folder = cifar(tmp_path / "folder", archive=False)
    (folder / "data_batch_3.bin").write_bytes(b"\x0b" + cifar_batch(2)[1:])
    with pytest.raises(BadInput, match=r"data_batch_3\.bin holds the label 11; CIFAR-10 has the labels 0 to 9"):
        load_images("cifar-10", Request(path=str(folder)))
    (folder / "data_batch_3.bin").unlink()
    with pytest.raises(BadInput, match=r"data_batch_3\.bin cannot be read"):
        load_images("cifar-10", Request(path=str(folder)))

    archive = cifar(tmp_path / "archive", archive=True)
    whole = archive.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"\x1f\x8b" + bytes(100), b"not an archive", b""):
        archive.write_bytes(damaged)
        with pytest.raises(BadInput, match=r"cifar-10-binary\.tar\.gz (cannot be read as an archive|does not hold)"):
            load_images("cifar-10", Request(path=str(archive)))


@pytest.mark.usefixtures("short_batches")
def test_an_archive_of_something_else_is_named(tmp_path: Path) -> None:
    archive = tmp_path / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo("cifar-10-batches-py/data_batch_1")
        member.size = 4
        tar.addfile(member, io.BytesIO(b"\x80\x04K\x01"))
    with pytest.raises(BadInput, match=r"does not hold data_batch_1\.bin, .* should be CIFAR-10's binary version"):
        load_images("cifar-10", Request(path=str(archive)))


# --- where sets lie -------------------------------------------------------------------------------------------------


def test_a_set_that_is_nowhere_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refusal:
        load_images("fashion-mnist", Request())
    message = str(refusal.value)
    assert str(tmp_path / "usr" / "FASHION_MNIST") in message
    assert "BINOCULAR_DATA names no folder" in message
    assert "Debian package dataset-fashion-mnist" in message
    assert "stimulus.download = true" in message
    assert "\n" not in message


def test_order_of_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def number() -> int:
        return len(load_images("fashion-mnist", Request()).labels["train"])

    fashion(tmp_path / "cache" / "fashion-mnist", n_train=30)
    assert number() == 30
    fashion(tmp_path / "usr" / "FASHION_MNIST", n_train=40)
    assert number() == 40
    monkeypatch.setenv("BINOCULAR_DATA", str(tmp_path / "mine"))
    assert number() == 40
    fashion(tmp_path / "mine", n_train=50)
    assert number() == 50
    fashion(tmp_path / "mine" / "fashion-mnist", n_train=60)
    assert number() == 60
    fashion(tmp_path / "given", n_train=70)
    assert len(load_images("fashion-mnist", Request(path=str(tmp_path / "given"))).labels["train"]) == 70


def test_a_given_path_is_the_only_one(tmp_path: Path) -> None:
    fashion(tmp_path / "usr" / "FASHION_MNIST")
    with pytest.raises(BadInput, match=r"stimulus\.path: fashion-mnist is not in .*empty"):
        load_images("fashion-mnist", Request(path=str(tmp_path / "empty"), download=True))


def test_download_only_when_allowed_and_with_checksums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def retrieve(url: str, known_hash: str, fname: str, path: Path) -> str:
        asked.append((url, known_hash))
        if not (Path(path) / fname).exists():
            fashion(Path(path))
        return str(Path(path) / fname)

    monkeypatch.setattr("pooch.retrieve", retrieve)
    data = load_images("fashion-mnist", Request(download=True))
    assert len(data.labels["train"]) == 40
    assert [url.rpartition("/")[2] for url, _ in asked] == [
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
        "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz",
    ]
    assert all(url.startswith("https://") and len(known.removeprefix("md5:")) == 32 for url, known in asked)
    asked.clear()
    assert len(load_images("fashion-mnist", Request()).labels["train"]) == 40  # found again, not fetched again
    assert not asked


@pytest.mark.parametrize(
    ("error", "reason"), [(OSError("no route to host"), "OSError"), (ValueError("hash"), "another checksum")]
)
def test_failed_download_is_one_sentence(monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str) -> None:
    def retrieve(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("pooch.retrieve", retrieve)
    with pytest.raises(BadInput, match=rf"cifar-10 cannot be downloaded from https://www\.cs\.toronto\.edu.*{reason}"):
        load_images("cifar-10", Request(download=True))


# --- folders --------------------------------------------------------------------------------------------------------


def pictures(folder: Path, n: int, colour: tuple[int, int, int] | int, size: tuple[int, int] = (20, 30)) -> None:
    folder.mkdir(parents=True)
    for number in range(n):
        mode = "L" if isinstance(colour, int) else "RGB"
        Image.new(mode, size, colour).save(folder / f"{number:03d}.png")


def test_folder_of_class_folders(tmp_path: Path) -> None:
    pictures(tmp_path / "red", 20, (255, 0, 0))
    pictures(tmp_path / "green", 10, (0, 255, 0))
    (tmp_path / "red" / "notes.txt").write_text("not a picture")
    (tmp_path / ".hidden").mkdir()
    data = load_images("folder", Request(path=str(tmp_path), size=16))
    assert data.class_names == ("green", "red")
    assert data.images["train"].shape[1:] == (3, 16, 16)
    counts = {part: np.bincount(data.labels[part]) for part in ("train", "test")}
    assert (counts["train"] + counts["test"]).tolist() == [10, 20]
    assert counts["test"].min() >= 1
    assert counts["test"].sum() < counts["train"].sum()
    for part in ("train", "test"):
        channel = data.images[part].mean((2, 3)).argmax(1)
        assert np.array_equal(channel == 0, data.labels[part] == 1)


def test_files_keep_their_part_when_others_come() -> None:
    files = [Path(f"birds/{number}.png") for number in range(400)]
    few, many = divide(files[:100], Path("birds")), divide(files[::-1], Path("birds"))
    assert set(few["test"]) <= set(many["test"])
    assert set(few["train"]) <= set(many["train"])
    assert not set(many["test"]) & set(many["train"])
    assert 50 < len(many["test"]) < 110
    assert divide(files[::-1], Path("birds")) == divide(files, Path("birds"))


@given(st.sets(st.text("abc", min_size=1, max_size=4), min_size=2, max_size=12))
def test_no_part_is_left_empty(names: set[str]) -> None:
    parts = divide([Path("birds") / f"{name}.png" for name in names], Path("birds"))
    assert parts["train"]
    assert parts["test"]
    assert len(parts["train"]) + len(parts["test"]) == len(names)


def test_folder_with_train_and_test(tmp_path: Path) -> None:
    for part, n in (("train", 6), ("test", 3)):
        for level, name in ((50, "dark"), (200, "light")):
            pictures(tmp_path / part / name, n, level)
    data = load_images("folder", Request(path=str(tmp_path), n_train=4))
    assert data.images["train"].shape == (4, 1, 32, 32)
    assert data.labels["train"].tolist() == [0, 1, 0, 1]
    assert np.array_equal(data.images["test"][:, 0, 0, 0] > 100, data.labels["test"] == 1)


def test_pictures_become_square_by_their_middle(tmp_path: Path) -> None:
    pixels = np.zeros((10, 30, 3), np.uint8)
    pixels[:, 10:20] = 255
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    assert (read_picture(tmp_path / "wide.png", 10, grey=False) == 255).all()
    deep = Image.fromarray(np.full((8, 8), 40_000, np.uint16))
    deep.save(tmp_path / "deep.png")
    assert (read_picture(tmp_path / "deep.png", 8, grey=True) == 156).all()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (read_picture(tmp_path / "clear.png", 8, grey=True) == 255).all()


def test_bad_folders_are_named(tmp_path: Path) -> None:
    def refused(message: str, **fields: object) -> None:
        with pytest.raises(BadInput, match=message):
            load_images("folder", Request(**{"path": str(tmp_path), **fields}))

    refused(r"stimulus\.path is missing", path=None)
    refused("nothing is not a folder", path=str(tmp_path / "nothing"))
    refused("holds 0 folders; it should hold one folder of pictures for each class")
    pictures(tmp_path / "a", 3, 0)
    (tmp_path / "b").mkdir()
    refused("b holds no picture; accepted are files that end with .png")
    Image.new("L", (4, 4)).save(tmp_path / "b" / "only.png")
    refused("b holds one picture")
    for number in range(3):
        (tmp_path / "b" / f"torn{number}.png").write_bytes((tmp_path / "b" / "only.png").read_bytes()[:40])
    refused(r"torn\d.png cannot be read as a picture")
    for path in (tmp_path / "b").iterdir():
        Image.new("L", (4, 4)).save(path)
    refused(r"stimulus\.n_train: .* has \d images in its train part, fewer than 50", n_train=50)


# --- photographs ----------------------------------------------------------------------------------------------------


def test_patches_of_photographs() -> None:
    data = load_images("photographs", Request(size=16, n_train=60, n_test=30))
    assert data.class_names == tuple(PHOTOGRAPHS)
    assert data.images["train"].shape == (60, 1, 16, 16)
    assert np.bincount(data.labels["train"]).tolist() == [6] * 10
    again = load_images("photographs", Request(size=16, n_train=60, n_test=30))
    assert np.array_equal(data.images["train"], again.images["train"])


def test_no_pixel_is_in_both_parts() -> None:
    data = load_images("photographs", Request(size=24, n_train=40, n_test=40))
    for part in ("train", "test"):
        for patch, label in zip(data.images[part][:20, 0], data.labels[part][:20], strict=True):
            image = np.round(photograph(tuple(PHOTOGRAPHS)[label]) * 255).astype(np.uint8)
            rows, columns = np.nonzero(image[: 1 - 24, : 1 - 24] == patch[0, 0])
            places = [
                c for r, c in zip(rows, columns, strict=True) if np.array_equal(image[r : r + 24, c : c + 24], patch)
            ]
            assert places
            border = round(0.7 * image.shape[1])
            assert all(c + 24 <= border if part == "train" else c >= border for c in places)


def test_photographs_take_no_path_and_have_limits(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"stimulus\.path has no use for dataset .photographs"):
        load_images("photographs", Request(path=str(tmp_path)))
    with pytest.raises(BadInput, match="patches of 200 pixels do not fit into the test part of photograph 'astronaut'"):
        load_images("photographs", Request(size=200))


# --- order ----------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 4), max_size=60))
def test_classes_take_turns(labels: list[int]) -> None:
    values = np.array(labels, np.int64)
    order = take_turns(values)
    assert sorted(order) == list(range(len(values)))
    ordered = values[order]
    smallest = min((labels.count(label) for label in set(labels)), default=0)
    n_classes = len(set(labels))
    for n in range(smallest * n_classes + 1):
        counts = [int((ordered[:n] == label).sum()) for label in set(labels)]
        assert not counts or max(counts) - min(counts) <= 1
