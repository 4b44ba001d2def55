"""Weights of a file: read as data only, put where they are wanted, and what does not fit is named."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import tests.strangers
from binocular.networks.build import build_network, network_of
from binocular.networks.weights import load_weights, read_weights
from binocular.protocols import NetworkSpec, load_protocol
from binocular.runs.running import run_study
from binocular.stimuli import user_code
from binocular.stimuli.content import digest_of_values
from binocular.stimuli.errors import BadInput
from tests.tiny import tiny

SHAPE = (1, 12, 12)


@pytest.fixture(autouse=True)
def strangers(monkeypatch):
    """Let the classes named below be imported, whatever another test has done."""
    monkeypatch.setattr(user_code, "_trusted", True)
    monkeypatch.setitem(sys.modules, "tests.strangers", tests.strangers)


def network(seed: int, name: str = "Side") -> nn.Module:
    return build_network(f"tests.strangers:{name}", {}, SHAPE, 4, seed)


def safetensors(path: Path, tensors: dict[str, torch.Tensor], **changes: object) -> Path:
    """Write the format by its description: length of the header, header, bytes."""
    header, data = {}, b""
    for name, value in tensors.items():
        raw = value.contiguous().numpy().tobytes()
        kind = {torch.float32: "F32", torch.int64: "I64"}[value.dtype]
        header[name] = {"dtype": kind, "shape": list(value.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        header[name] |= changes
        data += raw
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


@pytest.mark.parametrize("kind", ["plain", "nested", "parallel", "safetensors"])
def test_a_file_gives_the_weights_of_another_network(tmp_path, kind):
    theirs, ours = network(7), network(1)
    state = theirs.state_dict()
    path = tmp_path / ("w.safetensors" if kind == "safetensors" else "w.pt")
    if kind == "safetensors":
        safetensors(path, state)
    else:
        saved = {f"module.{name}": value for name, value in state.items()} if kind == "parallel" else state
        torch.save({"epoch": 3, "state_dict": saved} if kind == "nested" else saved, path)
    load_weights(ours, path)
    assert all(torch.equal(value, state[name]) for name, value in ours.state_dict().items())


def test_one_backbone_goes_into_both_pathways(tmp_path):
    theirs = network(7)
    torch.save(theirs.left.state_dict(), tmp_path / "w.pt")  # type: ignore[union-attr]
    spec = NetworkSpec(kind="tests.strangers:Side", weights=str(tmp_path / "w.pt"), weights_into=("left", "right"))
    ours, plain = network_of(spec, SHAPE, 4, 1), network_of(spec, SHAPE, 4, 1, weights=False)
    for eye in ("left", "right"):
        assert torch.equal(ours.get_parameter(f"{eye}.0.weight"), theirs.get_parameter("left.0.weight"))
    assert torch.equal(ours.get_parameter("trunk.0.weight"), plain.get_parameter("trunk.0.weight"))
    assert not torch.equal(ours.get_parameter("left.0.weight"), plain.get_parameter("left.0.weight"))


def test_what_does_not_fit_is_named_and_may_be_left(tmp_path):
    state = network(7).state_dict()
    state["head.3.weight"] = state.pop("head.2.weight")
    state["head.2.bias"] = torch.zeros(9)
    torch.save(state, tmp_path / "w.pt")
    ours = network(1)
    words = r"missing: head\.2\.weight; left over: head\.3\.weight; of another shape: head\.2\.bias \(9,\) for \(4,\); "
    with pytest.raises(BadInput, match=words + r"network\.weights_partly"):
        load_weights(ours, tmp_path / "w.pt")
    load_weights(ours, tmp_path / "w.pt", partly=True)
    assert torch.equal(ours.get_parameter("left.0.weight"), state["left.0.weight"])
    with pytest.raises(BadInput, match=r"there is no module 'retina'; accepted: left, right"):
        load_weights(ours, tmp_path / "w.pt", ("retina",))
    with pytest.raises(BadInput, match="does not fit into 'head'"):
        load_weights(ours, tmp_path / "w.pt", ("head",), partly=True)


class Evil:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_files_are_data_and_nothing_in_them_is_run(tmp_path):
    torch.save({"a": torch.zeros(1), "b": Evil(tmp_path / "was-here")}, tmp_path / "evil.pt")
    torch.save(network(1), tmp_path / "whole.pt")
    for name in ("evil.pt", "whole.pt"):
        with pytest.raises(BadInput, match="holds more than weights"):
            read_weights(tmp_path / name)
    assert not (tmp_path / "was-here").exists()
    (tmp_path / "torn.pt").write_bytes(b"PK\3\4 torn")
    torch.save([1, 2], tmp_path / "list.pt")
    good = {"a": torch.ones(2)}
    safetensors(tmp_path / "dtype.safetensors", good, dtype="F99")
    safetensors(tmp_path / "beyond.safetensors", good, data_offsets=[0, 8_000_000], shape=[2_000_000])
    safetensors(tmp_path / "shape.safetensors", good, shape=[3])
    (tmp_path / "long.safetensors").write_bytes((2**62).to_bytes(8, "little") + b"{}")
    (tmp_path / "short.safetensors").write_bytes(b"abc")
    for path in [*tmp_path.glob("*.safetensors"), tmp_path / "torn.pt", tmp_path / "list.pt", tmp_path / "missing.pt"]:
        with pytest.raises(BadInput, match=r"network\.weights: "):
            read_weights(path)


def test_other_weights_are_other_subjects_wherever_they_lie(tmp_path):
    small = ("network.kind=split-cnn", "conditions.normal.phases.0.epochs=1", "conditions.late.phases.0.epochs=1")
    out = tmp_path / "out"
    reared = []
    for folder, seed in (("one", 7), ("other", 7), ("third", 8)):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "w.pt"
        torch.save(build_network("split-cnn", {"width": 2}, SHAPE, 8, seed).state_dict(), path)
        reared.append(run_study(tiny(tmp_path, *small, f"network.weights={path}"), out, "cpu").reared)
    assert reared[0] > 0 and reared[1] == 0 and reared[2] == reared[0]


def test_a_protocol_names_weights_beside_it(tmp_path):
    (tmp_path / "w.pt").touch()
    (tmp_path / "p.toml").write_text("""
title = "Weights"
stimulus = { kind = "stereo-scenes" }
network = { weights = "w.pt" }
conditions = [{ name = "normal", phases = [{ epochs = 1 }] }]
""")
    assert load_protocol(tmp_path / "p.toml").network.weights == str(tmp_path / "w.pt")


def test_a_digest_counts_every_part_of_a_network():
    assert len({digest_of_values(build_network("split-cnn", {"width": 2}, SHAPE, 4, seed)) for seed in range(4)}) == 4
