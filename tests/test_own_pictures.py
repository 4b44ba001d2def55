"""Pictures of a user's own: from folders, pairs of folders, arrays and Datasets; refused in one clear line."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Dataset, IterableDataset

from binocular import stimuli
from binocular.networks.build import network_of
from binocular.probes.recording import at_once
from binocular.protocols import parse_protocol
from binocular.runs import sizes
from binocular.runs.checking import check_protocol
from binocular.runs.measuring import measure_study
from binocular.runs.packing import bytes_of_step
from binocular.runs.running import run_study
from binocular.runs.sizes import size_of
from binocular.stimuli import user_code
from binocular.stimuli.errors import BadInput
from binocular.stimuli.own_pictures import OwnPictures

N = 20


def pixels(n: int, size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, size, size), np.uint8)


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    return {"left": pixels(N, 12), "right": pixels(N, 12, 1), "labels": np.arange(N) % 2}


def own(**fields: object) -> OwnPictures:
    made = stimuli.stimulus_config({"kind": "pictures", **fields})
    assert isinstance(made, OwnPictures)
    return made


def save(folder: Path, values: np.ndarray, number: int, ending: str = "png") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(folder / f"{number}.{ending}")


def pair_folders(root: Path, n: int = 6, size: int = 12) -> None:
    """Write pairs whose left picture is the number of the pair and whose right one is 100 brighter."""
    for label, name in enumerate(("cats", "dogs")):
        for number in range(n):
            for eye, brighter in (("left", 0), ("right", 100)):
                values = np.full((size, size), 10 * number + label + brighter, np.uint8)
                save(root / eye / name, values, number)


# --- what is seen ---------------------------------------------------------------------------------------------------


def test_each_eye_sees_its_own_picture_of_a_pair(tmp_path: Path):
    pair_folders(tmp_path)
    stimulus = own(path=str(tmp_path), size=12).build(0)
    assert stimulus.shape == (1, 12, 12) and stimulus.class_names == ("cats", "dogs")
    for split in ("train", "test"):
        index = torch.arange(len(stimulus.labels[split]))
        seen = stimulus.views(split, index, None) * stimulus.deviation + stimulus.mean
        assert torch.allclose(seen[:, 1] - seen[:, 0], torch.tensor(100.0), atol=1e-3)
        assert torch.equal(seen[:, 0].mean((1, 2, 3)).round().long() % 10, stimulus.labels[split])
    train = stimulus.views("train", torch.arange(len(stimulus.labels["train"])), None)
    assert abs(float(train.mean())) < 1e-5 and float(train.std(unbiased=False)) == pytest.approx(1, abs=1e-4)


def test_both_eyes_see_the_picture_or_its_halves(tmp_path: Path):
    for name in ("a", "b"):
        for number in range(4):
            save(tmp_path / name, pixels(1, 16, number)[0], number)
    both, _ = own(path=str(tmp_path), size=16).build(0).pictures()
    assert np.array_equal(both[:, 0], both[:, 1]) and both.any()
    halves, _ = own(path=str(tmp_path), size=16, visible=8).build(0).pictures()
    assert np.array_equal(halves[:, 0, ..., :8], both[:, 0, ..., :8]) and not halves[:, 0, ..., 8:].any()
    assert np.array_equal(halves[:, 1, ..., 8:], both[:, 1, ..., 8:]) and not halves[:, 1, ..., :8].any()
    same, _ = stimuli.stimulus_config(
        {"kind": "split-images", "dataset": "folder", "path": str(tmp_path), "size": 16, "visible": 16}
    ).build(0).pictures()  # fmt: skip
    assert np.allclose(same, both, atol=1e-5)


def test_folders_left_and_right_of_pictures_are_two_classes(tmp_path: Path):
    for name in ("left", "right"):
        for number in range(3):
            save(tmp_path / name, pixels(1, 8, number)[0], number)
    assert own(path=str(tmp_path), size=8).build(0).class_names == ("left", "right")


@pytest.mark.parametrize("layout", ["rows", "first", "last", "float"])
def test_arrays_of_any_layout_show_the_same(tmp_path: Path, layout: str):
    pictures = pixels(N, 12)
    given = {"rows": pictures, "first": pictures[:, None], "last": pictures[..., None], "float": pictures / 255}[layout]
    np.savez(tmp_path / "set.npz", images=given, labels=np.arange(N) % 2)
    np.savez(tmp_path / "plain.npz", images=pictures, labels=np.arange(N) % 2)
    found, _ = own(path=str(tmp_path / "set.npz")).build(0).pictures()
    plain, _ = own(path=str(tmp_path / "plain.npz")).build(0).pictures()
    assert np.allclose(found, plain, atol=1e-5)


def test_arrays_lie_in_one_file_or_in_a_folder(tmp_path: Path, arrays):
    arrays["part"] = np.repeat(["train", "test"], [14, 6])
    arrays["class_names"] = np.array(["cat", "dog"])
    np.savez(tmp_path / "set.npz", **arrays)
    (tmp_path / "set").mkdir()
    for name, values in arrays.items():
        np.save(tmp_path / "set" / f"{name}.npy", values)
    one, other = (own(path=str(tmp_path / name)).build(0) for name in ("set.npz", "set"))
    assert len(one.labels["test"]) == 6 and one.class_names == ("cat", "dog")
    assert np.array_equal(one.pictures()[0], other.pictures()[0])


def test_channels_are_as_stored_or_as_asked_for(tmp_path: Path):
    colour = np.stack([pixels(N, 12, i) for i in range(3)], -1)
    given = stimuli.pictures_from_arrays(colour, labels=["a", "b"] * 10)
    assert given.build(0).shape == (3, 12, 12)
    assert given.model_copy(update={"channels": 1}).build(0).shape == (1, 12, 12)
    grey = stimuli.pictures_from_arrays(colour[..., 0], labels=["a", "b"] * 10, channels=3).build(0)
    views, _ = grey.pictures()
    assert grey.shape == (3, 12, 12) and np.array_equal(views[:, :, 0], views[:, :, 2])


def test_noise_is_fresh_in_training_and_kept_in_tests(arrays):
    stimulus = stimuli.pictures_from_arrays(**arrays, noise=0.5).build(0)
    index = torch.arange(4)
    first, second = (stimulus.views("train", index, stimuli.stream(0, "t", epoch)) for epoch in (0, 1))
    assert not torch.equal(first, second) and not torch.equal(first[:, 0], first[:, 1])
    assert torch.equal(stimulus.views("test", index, None), stimulus.views("test", index, None))


def test_pictures_are_scaled_from_the_square_in_their_middle():
    wide = np.zeros((N, 10, 30), np.uint8)
    wide[:, :, 10:20] = np.arange(1, N + 1)[:, None, None]
    stimulus = stimuli.pictures_from_arrays(wide, labels=np.arange(N) % 2, size=20).build(0)
    seen = stimulus.pictures()[0]
    assert stimulus.shape == (1, 20, 20) and np.ptp(seen, axis=(1, 2, 3, 4)).max() < 1e-5


def test_a_share_of_each_class_is_for_tests_always_the_same(arrays):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first, again = (stimuli.pictures_from_arrays(**arrays, test_share=0.3).build(seed) for seed in (0, 1))
    assert np.array_equal(first.pictures()[0], again.pictures()[0])
    assert torch.bincount(first.labels["test"]).tolist() == [3, 3]
    assert torch.equal(torch.get_rng_state(), before)


# --- Datasets -------------------------------------------------------------------------------------------------------


class Pairs(Dataset):
    """Pairs whose pictures are made from their number."""

    def __init__(self, n: int = N, form: str = "three", first: int = 0):
        self.n, self.form, self.first = n, form, first

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, number: int):
        left, right = (torch.from_numpy(pixels(1, 12, 2 * (number + self.first) + eye)) for eye in (0, 1))
        label = torch.tensor(number % 2)
        return {
            "three": (left, right, label),
            "nested": ((left.numpy()[0], right.numpy()[0]), int(label)),
            "pillow": (Image.fromarray(left.numpy()[0]), Image.fromarray(right.numpy()[0]), ("a", "b")[number % 2]),
            "one": (left, int(label)),
            "single": left,
            "no label": (left, right, None),
            "random": (torch.from_numpy(np.random.default_rng().random((12, 12))), int(label)),
            "torch": (torch.rand(12, 12), int(label)),
            "other size": (left[..., : 12 - (number == 3)], right[..., : 12 - (number == 3)], label),
            "mixed": (left if number < 9 else left / 255, right if number < 9 else right / 255, label),
            "NaN": (left / 255 * (float("nan") if number == 5 else 1), int(label)),
        }[self.form]


@pytest.mark.parametrize("form", ["three", "nested", "pillow"])
def test_a_dataset_gives_pairs(form: str):
    plain = stimuli.pictures_from_arrays(
        left=np.concatenate([pixels(1, 12, 2 * i) for i in range(N)]),
        right=np.concatenate([pixels(1, 12, 2 * i + 1) for i in range(N)]),
        labels=np.arange(N) % 2,
    )
    found = stimuli.pictures_from_dataset(Pairs(form=form))
    assert np.array_equal(found.build(0).pictures()[0], plain.build(0).pictures()[0])
    assert (found.dataset == plain.dataset) == (form != "pillow"), "the same pictures are the same stimulus"


def test_a_dataset_may_bring_a_test_part_and_names():
    whole = Pairs()
    whole.classes = ["cat", "dog"]  # type: ignore[attr-defined]
    stimulus = stimuli.pictures_from_dataset(whole, Pairs(6, first=100)).build(0)
    assert len(stimulus.labels["test"]) == 6 and len(stimulus.labels["train"]) == N
    assert stimulus.class_names == ("cat", "dog")


READ: list[int] = []


class Counted(Pairs):
    def __getitem__(self, number: int):
        READ.append(number)
        return super().__getitem__(number)


def test_a_dataset_is_read_once_by_a_run_and_anew_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    protocol = parse_protocol(f"""
        title = "Counted"
        seeds = 2
        stimulus = {{ kind = "pictures", dataset = "{__name__}:Counted", noise = 0.1 }}
        network = {{ kind = "split-mlp", options = {{ width = 2 }} }}
        probes = {{ n_stimuli = 4, bootstrap = 0 }}
        conditions = [{{ name = "normal", phases = [{{ epochs = 1 }}] }}]
    """)
    for _ in range(2):
        READ.clear()
        assert not run_study(protocol, tmp_path / "out", "cpu").failures
        assert READ.count(N - 1) == 1, "a few are read twice, to see whether they are the same each time"
    measure_study(tmp_path / "out", "weights")
    monkeypatch.setattr(Counted, "__getitem__", lambda pairs, number: Pairs.__getitem__(pairs, (number + 1) % N))
    with pytest.raises(BadInput, match="what the stimuli hold changed since condition normal, seed 0, was reared"):
        measure_study(tmp_path / "out", "weights")


def test_a_dataset_of_several_sizes_is_brought_to_one():
    found = stimuli.pictures_from_dataset(Pairs(form="other size"), size=10)
    assert found.build(0).shape == (1, 10, 10)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("single", r"Pairs\[0\] is Tensor; accepted are \(picture, label\)"),
        ("no label", r"Pairs\[0\] has the label None; accepted is a whole number or a text"),
        ("random", r"Pairs\[0\] is another picture each time"),
        ("torch", r"Pairs\[0\] is another picture each time"),
        ("other size", r"Pairs\[3\] has pictures of 12 x 11 pixels; set stimulus.size"),
        ("mixed", r"Pairs\[9\] is float32 .* where Pairs\[0\] is uint8"),
        ("NaN", r"Pairs\[5\]\[0\] holds NaN"),
    ],
)
def test_what_a_dataset_must_not_give_is_named(form: str, message: str):
    with pytest.raises(BadInput, match=message) as refusal:
        stimuli.pictures_from_dataset(Pairs(form=form))
    assert "\n" not in str(refusal.value)


def test_a_dataset_without_length_or_items_is_refused():
    class Endless(IterableDataset):
        def __iter__(self):
            yield from ()

    with pytest.raises(BadInput, match="Endless without a length"):
        stimuli.pictures_from_dataset(Endless())
    with pytest.raises(BadInput, match="is empty"):
        stimuli.pictures_from_dataset(Pairs(0))


def test_code_of_a_dataset_runs_only_when_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "her_data.py").write_text("raise SystemExit('it was run')")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match=r"stimulus\.dataset names the class her_data:Pairs, and code that a file names"):
        own(dataset="her_data:Pairs").content()


def test_what_a_dataset_holds_counts_and_not_its_name(monkeypatch: pytest.MonkeyPatch):
    named = own(dataset="tests.test_own_pictures:Pairs", options={"n": 12})
    content = named.content()
    monkeypatch.setattr("tests.test_own_pictures.Others", Pairs, raising=False)
    assert own(dataset="tests.test_own_pictures:Others", options={"n": 12, "form": "nested"}).content() == content
    assert own(dataset="tests.test_own_pictures:Pairs", options={"n": 12, "first": 1}).content() != content
    assert named.references() == ("tests.test_own_pictures:Pairs",)
    with pytest.raises(BadInput, match=r"stimulus.options: .*:Pairs cannot be made with \{'m': 3\}: TypeError"):
        own(dataset="tests.test_own_pictures:Pairs", options={"m": 3}).build(0)


def test_another_process_may_read_the_dataset_of_a_plan(monkeypatch: pytest.MonkeyPatch):
    protocol = parse_protocol("""
title = "A Dataset"
seeds = 1
stimulus = { kind = "pictures", dataset = "tests.test_own_pictures:Pairs" }
network = { options = { width = 2 } }
probes = { n_stimuli = 2, bootstrap = 0 }
conditions = [{ name = "normal", phases = [{ epochs = 1 }] }]
""")
    plan = pickle.loads(pickle.dumps(check_protocol(protocol, "cpu").study.plan))
    monkeypatch.setattr(user_code, "_allowed", set())
    plan.check_code()
    assert user_code._allowed == {"tests.test_own_pictures:Pairs"}
    assert plan.stimuli(0).shape == (1, 12, 12)


# --- identity -------------------------------------------------------------------------------------------------------


def test_where_pictures_lie_does_not_count_but_what_they_hold(tmp_path: Path, arrays):
    pair_folders(tmp_path / "here")
    pair_folders(tmp_path / "there")
    np.savez(tmp_path / "one.npz", **arrays)
    (tmp_path / "two.npz").write_bytes((tmp_path / "one.npz").read_bytes())
    for one, other in (("here", "there"), ("one.npz", "two.npz")):
        before = own(path=str(tmp_path / one)).content()
        assert own(path=str(tmp_path / other)).content() == before
    save(tmp_path / "there" / "right" / "dogs", pixels(1, 12)[0], 3)
    np.savez(tmp_path / "two.npz", **{**arrays, "left": arrays["left"][::-1]})
    for one, other in (("here", "there"), ("one.npz", "two.npz")):
        assert own(path=str(tmp_path / other)).content() != own(path=str(tmp_path / one)).content()


def test_pictures_given_in_python_are_unknown_elsewhere(arrays):
    given = stimuli.pictures_from_arrays(**arrays)
    arrays["left"][:] = 0  # what is given is what counts, whatever becomes of it
    assert given.build(0).pictures()[0].any()
    with pytest.raises(BadInput, match=r"given:0+ were given in Python .* keep them in an \.npz file"):
        own(dataset="given:" + 24 * "0").build(0)


# --- what cannot be used --------------------------------------------------------------------------------------------


def test_pairs_that_do_not_fit_are_named(tmp_path: Path):
    def refused(message: str) -> None:
        with pytest.raises(BadInput, match=message) as refusal:
            own(path=str(tmp_path), size=12).build(0)
        assert "\n" not in str(refusal.value)

    pair_folders(tmp_path)
    cats = tmp_path / "right" / "cats"
    (cats / "2.png").rename(cats / "two.png")
    refused(r"left/cats/2\.png has no partner .*right/cats/2; each picture in left should have one")
    (cats / "two.png").rename(cats / "2.png")
    save(cats, pixels(1, 12)[0], 99)
    refused(r"right/cats/99\.png has no partner .*left/cats/99")
    (cats / "99.png").unlink()
    save(cats, pixels(1, 12)[0], 2, "bmp")
    refused(r"cats/2\.\w+ and .*cats/2\.\w+ differ in their endings only")
    (cats / "2.bmp").unlink()
    save(cats, pixels(1, 14)[0], 2)
    refused(r"right/cats/2\.png has 14 x 14 pixels and .*left/cats/2\.png 12 x 12")
    (cats / "2.png").write_bytes(b"\x89PNG torn")
    refused(r"right/cats/2\.png cannot be read as a picture")
    for path in (tmp_path / "left" / "dogs").iterdir():
        path.unlink()
    refused(r"left/dogs holds no picture; accepted are files that end with")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": None}, r"labels is missing; accepted is one whole number or text for each picture"),
        ({"labels": np.arange(N) / 2}, r"labels holds float64 of shape \(20,\); accepted are 20 whole numbers"),
        ({"labels": np.arange(N - 1)}, r"labels holds int64 of shape \(19,\)"),
        ({"labels": np.zeros(N, int)}, r"labels holds 1 class; accepted are two or more"),
        ({"labels": np.arange(N)}, r"class 'class 0' has one picture"),
        ({"class_names": np.array(["a", "b", "c"])}, r"labels holds 0, 1, but class_names has 3 names"),
        ({"part": np.full(N, "both")}, r'part should hold "train" or "test" for each of the 20'),
        ({"part": np.repeat(["train", "test"], [19, 1])}, r"class 'class 0' has no picture in the test part"),
        ({"right": None}, r"holds labels, left; expected are images, or left and right, and labels"),
        ({"right": pixels(N, 14)}, r"left has the shape \(20, 1, 12, 12\) .* and right \(20, 1, 14, 14\)"),
        ({"right": pixels(N, 12) / 255}, r"left has the type uint8 .* and right float32"),
        ({"left": pixels(N, 12) / 255, "right": pixels(N, 12) / 1.0}, r"left from 0 to 1 and right from 0 to 255"),
        ({"left": pixels(N, 12).astype(int)}, r"left holds int64; accepted are uint8 \(0 to 255\) and floats"),
        ({"left": np.where(np.arange(N)[:, None, None] == 7, np.nan, pixels(N, 12))}, r"left\[7\] holds NaN"),
        ({"left": np.zeros((N, 12), np.uint8)}, r"left has the shape \(20, 12\); accepted is \[n, height, width\]"),
        ({"left": np.zeros((N, 12, 9), np.uint8), "right": np.zeros((N, 12, 9), np.uint8)}, r"pictures of 12 x 9"),
        ({"left": np.zeros((N, 12, 12), "B"), "right": np.zeros((N, 12, 12), "B")}, r"all pixels .* the same"),
    ],
)  # fmt: skip
def test_arrays_that_cannot_be_used_are_named(tmp_path: Path, arrays, change, message: str):
    changed = {name: values for name, values in {**arrays, **change}.items() if values is not None}
    np.savez(tmp_path / "set.npz", **changed)
    with pytest.raises(BadInput, match=message) as refusal:
        own(path=str(tmp_path / "set.npz")).build(0)
    assert "\n" not in str(refusal.value)
    assert "set.npz" in str(refusal.value) or "pixels of the training" in str(refusal.value)


class Evil:
    def __reduce__(self):
        return (pytest.fail, ("what a file holds was run",))


def test_nothing_in_a_file_of_arrays_is_run(tmp_path: Path, arrays):
    evil = np.empty(N, object)
    evil[:] = Evil()
    holder = io.BytesIO()
    np.lib.format.write_array_header_1_0(holder, {"descr": "|O", "fortran_order": False, "shape": (N,)})
    with zipfile.ZipFile(tmp_path / "set.npz", "w") as archive:
        archive.writestr("labels.npy", holder.getvalue() + pickle.dumps(list(evil)))
    for name in ("left", "right"):
        np.save(tmp_path / f"{name}.npy", arrays[name])
    (tmp_path / "labels.npy").write_bytes(holder.getvalue() + pickle.dumps(list(evil)))
    for place in (tmp_path / "set.npz", tmp_path):
        with pytest.raises(BadInput, match="it is no such file, or holds Python objects, which are not read"):
            own(path=str(place)).build(0)
    (tmp_path / "set.npz").write_bytes(b"PK torn")
    with pytest.raises(BadInput, match=r"set\.npz cannot be read as arrays"):
        own(path=str(tmp_path / "set.npz")).build(0)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"path": "x", "dataset": "a:B"}, "path and dataset are both there; accepted is one of them"),
        ({"options": {"n": 3}}, "options and test_options are arguments of a dataset"),
        ({"visible": 17, "size": 16}, "visible 17 is more than the 16 columns"),
        ({"size": 1024}, "stimulus.size is 1024, but must be 512 or less"),
        ({"channels": 2}, "stimulus.channels is 2, but must be 1 or 3"),
    ],
)
def test_fields_that_do_not_go_together_are_named(fields, message: str):
    with pytest.raises(BadInput, match=message):
        own(**fields)
    with pytest.raises(BadInput, match=r"stimulus\.path: nowhere is neither a folder nor an \.npz file; accepted are"):
        own(path="nowhere").build(0)
    with pytest.raises(BadInput, match=r"'my_data\.py' is not of the form module:Class"):
        own(dataset="my_data.py").build(0)


# --- told beforehand ------------------------------------------------------------------------------------------------


def test_how_much_there_is_is_known_before_it_is_read(tmp_path: Path, arrays):
    pair_folders(tmp_path / "pairs", n=10)
    np.savez_compressed(tmp_path / "set.npz", **arrays)
    for stimulus in (
        own(path=str(tmp_path / "pairs"), size=12, channels=1),
        own(path=str(tmp_path / "set.npz")),
        stimuli.pictures_from_arrays(**arrays),
        own(dataset="tests.test_own_pictures:Pairs"),
    ):
        n_train, n_test = stimulus.counts()
        assert n_train + n_test == N and 1 <= n_test <= 8
        assert 2 * N * 144 <= stimulus.memory() < 2 * N * 144 + 1000


def test_labels_of_arrays_are_counted_without_reading_them(tmp_path: Path, arrays):
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<i8", "fortran_order": False, "shape": (10**9,)})
    with zipfile.ZipFile(tmp_path / "set.npz", "w") as archive:
        archive.writestr("labels.npy", head.getvalue())
    assert sum(own(path=str(tmp_path / "set.npz")).counts()) == 10**9
    for name, values in arrays.items():
        np.save(tmp_path / f"{name}.npy", values)
    assert sum(own(path=str(tmp_path)).counts()) == N


def test_a_study_counts_the_pictures_of_a_folder(tmp_path: Path):
    pair_folders(tmp_path)
    protocol = parse_protocol(f"""
title = "Pairs"
seeds = 2
stimulus = {{ kind = "pictures", path = "{tmp_path}", size = 224, channels = 3 }}
conditions = [{{ name = "normal", phases = [{{ epochs = 3 }}] }}]
""")
    size = size_of(protocol)
    assert size.stimuli == 12 * 2 * 3 * 224 * 224
    assert size.presentations > 2 * 3 * protocol.stimulus.counts()[0]


def test_a_step_that_does_not_fit_is_said_before_it_is_tried(monkeypatch: pytest.MonkeyPatch):
    """Backbones at 224 x 224 take gigabytes for a batch; that is counted from one step of two pictures."""
    pictures = np.random.default_rng(0).integers(0, 256, (N, 64, 64, 3), np.uint8)
    given = stimuli.pictures_from_arrays(pictures, labels=np.arange(N) % 2)
    protocol = parse_protocol("""
title = "Large pictures"
seeds = 2
stimulus = { kind = "stereo-scenes" }
network = { kind = "two-stream", options = { backbone = "tests.strangers:Residual", cut = "layer2" } }
probes = { n_stimuli = 2, bootstrap = 0 }
conditions = [{ name = "normal", phases = [{ epochs = 1 }] }]
""").model_copy(update={"stimulus": given})
    user_code.allow(["tests.strangers:Residual"])
    step = bytes_of_step(network_of(protocol.network, (3, 64, 64), 2, 0), (3, 64, 64), 16)
    assert 16 * 2 * 3 * 64 * 64 * 4 < step < 16 * 2 * 40 * 64 * 64 * 4
    monkeypatch.setattr(sizes, "free_memory", lambda device: step // 2)
    with pytest.raises(BadInput, match=r"training\.batch_size: a step of 16 presentations, with . subjects? at once"):
        check_protocol(protocol, "cpu")
    check_protocol(protocol, "cpu", allow_large=True)
    monkeypatch.setattr(sizes, "free_memory", lambda device: 100 * step)
    check_protocol(protocol, "cpu")


def test_large_pictures_are_shown_a_few_at_a_time():
    assert at_once(512, (4, 1, 32, 32)) == at_once(512, (64, 64)) == 512
    assert at_once(512, (3, 224, 224)) == 41
    assert at_once(1, (3, 512, 512)) == 1
