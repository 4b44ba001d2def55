"""``make gpu`` in miniature: every step of it, with the CPU in the place of the GPU."""

from __future__ import annotations

import json

import pytest

from benchmarks import gpu
from binocular.stimuli.errors import MissingData
from binocular.store.study import load_study


def test_every_step_is_gone_through_in_miniature(tmp_path, monkeypatch):
    tested: list[int] = []
    monkeypatch.setattr(gpu, "cuda_tests", lambda: tested.append(0) or 0)
    monkeypatch.setattr(gpu, "pictures", lambda: ("stimulus.dataset=photographs",))
    assert gpu.main(["--out", str(tmp_path), "--miniature"]) == 0
    assert tested, "the tests come first"
    kept = json.loads((tmp_path / "gpu.json").read_text())
    assert kept["device"] and kept["finished"] and "binocular run kleinman-2023-fig4-paper" in kept["command"]
    assert [row["condition"] for row in kept["rows"]] == ["blurred-0", "blurred-1"]
    for row in kept["rows"]:
        assert row["seeds"] == [400, 401] and len(row["clean_bias, representation.map"]) == 2
    assert len(kept["bench"]) == 2
    study = load_study(tmp_path / "study")
    assert "width" in str(study.attributes["protocol"]) and len(study.conditions) == 2


def test_rearing_that_takes_too_long_is_gone_on_with_later(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu, "cuda_tests", lambda: 0)
    monkeypatch.setattr(gpu, "bench", lambda out: {})
    monkeypatch.setattr(gpu, "rear", lambda folder, size, seconds: False)
    assert gpu.main(["--out", str(tmp_path), "--miniature", "--seconds", "1"]) == 3
    for ended in (1, 5):  # a test failed; none was found
        monkeypatch.setattr(gpu, "cuda_tests", lambda ended=ended: ended)
        assert gpu.main(["--out", str(tmp_path), "--miniature"]) == 1


def test_the_best_pictures_at_hand_are_taken(monkeypatch):
    there: set[str] = set()

    def files(self):
        if self.dataset not in there:
            raise MissingData(f"no {self.dataset}")

    monkeypatch.setattr(gpu.SplitImages, "files", files)
    assert gpu.pictures() == ("stimulus.dataset=photographs",)
    there.add("fashion-mnist")
    assert gpu.pictures() == ("stimulus.dataset=fashion-mnist", "stimulus.size=32")
    there.add("cifar-10")
    assert gpu.pictures() == ("stimulus.dataset=cifar-10",)


@pytest.mark.parametrize("name", gpu.SIZES)
def test_both_sizes_are_protocols(name):
    from binocular.protocols import load_protocol

    settings = ("stimulus.dataset=photographs", *gpu.SIZES[name].settings)
    protocol = load_protocol("kleinman-2023-fig4-paper", settings)
    assert len(protocol.conditions) == 2 and protocol.network.kind == "split-resnet-18"
    assert protocol.network.options.get("width") == (2 if name == "miniature" else None)
