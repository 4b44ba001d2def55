"""Backbones of one eye become networks of two: cut anywhere, fused in several ways, with weights of their own."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from binocular.networks.build import build_network, network_of
from binocular.networks.declared import has_pathways
from binocular.networks.sites import areas_of, resolve_site
from binocular.networks.two_stream import FUSIONS
from binocular.probes.recording import units_at
from binocular.protocols import NetworkSpec
from binocular.runs.running import run_study
from binocular.stimuli.errors import BadInput
from binocular.stimuli.streams import stream
from binocular.stimuli.user_code import load_class
from tests.strangers import Residual, Vision
from tests.tiny import tiny

GREY = (1, 16, 16)


def two_stream(backbone: str, shape: tuple[int, int, int] = GREY, seed: int = 0, **options: object) -> nn.Module:
    return build_network("two-stream", {"backbone": f"tests.strangers:{backbone}", **options}, shape, 5, seed).eval()


@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize(
    ("backbone", "cut", "first"),
    [
        ("Residual", "layer1.0", "trunk.layer1.1.relu"),
        ("Residual", "layer2", "trunk.layer3.0.relu"),
        ("Residual", "", "trunk.0"),
        ("Vision", "encoder.layers.0", "trunk.encoder.layers.1.self_attn"),
        ("Vision", "", "trunk.0"),
    ],
)
def test_a_backbone_of_one_eye_becomes_a_network_of_two(backbone, cut, first, fusion):
    network = two_stream(backbone, cut=cut, fusion=fusion)
    assert network(torch.zeros(3, 2, *GREY)).shape == (3, 5)
    assert has_pathways(network)
    areas = areas_of(network)
    assert areas["representation"] == "trunk"
    if fusion == "sum" and "attn" not in first:
        assert areas["first_binocular"] == first
    assert units_at(network, GREY, [resolve_site(network, "first_binocular")])["first_binocular"].count > 1


@pytest.mark.parametrize("cls", [Residual, Vision])
def test_two_equal_eyes_that_meet_late_see_what_the_backbone_sees(cls):
    """Pathways cut anywhere and what lies behind the cut do together what the whole backbone does."""
    torch.manual_seed(0)
    whole = cls(5).eval()
    cut = "layer2" if cls is Residual else "encoder.layers.1"
    network = two_stream(cls.__name__, (3, 16, 16), cut=cut, shared=True, fusion="maximum")
    named = {name.split(".", 1)[1]: value for name, value in network.state_dict().items()}
    named["fc.weight" if cls is Residual else "heads.0.weight"] = network.state_dict()[
        "head.weight" if cls is Residual else "head.0.weight"
    ]
    named["fc.bias" if cls is Residual else "heads.0.bias"] = network.state_dict()[
        "head.bias" if cls is Residual else "head.0.bias"
    ]
    whole.load_state_dict({name: named[name] for name in whole.state_dict()})
    view = torch.randn(4, 3, 16, 16, generator=stream(0, "test"))
    torch.testing.assert_close(network(torch.stack([view, view], 1)), whole(view))


def test_networks_that_look_alike_are_each_cut_as_they_compute():
    """What the trunk does is that of the backbone that was made, though another of equal modules came before it."""
    views = torch.randn(3, 2, *GREY, generator=stream(0, "test"))
    once, twice = (two_stream("Scaled", cut="layer2", backbone_options={"scale": scale}) for scale in (1.0, 2.0))
    assert str(once) == str(twice)
    fused = once.fuse(once.left(views[:, 0]), once.right(views[:, 1]))  # type: ignore[operator]
    torch.testing.assert_close(twice.trunk(fused), 2 * once.trunk(fused))  # type: ignore[operator]


def test_eyes_share_weights_or_begin_with_their_own():
    own, shared = two_stream("Residual", cut="layer2"), two_stream("Residual", cut="layer2", shared=True)
    assert shared.left is shared.right and own.left is not own.right
    left, right = (own.get_parameter(f"{eye}.1.conv1.weight") for eye in ("left", "right"))
    assert not torch.equal(left, right)
    again = two_stream("Residual", cut="layer2")
    assert torch.equal(left, again.get_parameter("left.1.conv1.weight"))


def test_weights_of_a_backbone_go_into_its_pathways(tmp_path):
    torch.save(Residual().state_dict(), tmp_path / "w.pt")
    spec = NetworkSpec(
        kind="two-stream",
        options={"backbone": "tests.strangers:Residual", "cut": "layer2"},
        weights=str(tmp_path / "w.pt"),
        weights_into=("left", "right", "trunk"),
        weights_partly=True,
    )
    network = network_of(spec, (3, 16, 16), 5, 0)
    expected = torch.load(tmp_path / "w.pt", weights_only=True)
    for name in ("left.conv1.weight", "right.layer2.0.conv.weight", "trunk.layer3.0.conv.weight"):
        assert torch.equal(network.get_parameter(name), expected[name.split(".", 1)[1]])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"backbone": "tests.strangers:Residual", "cut": "layer9"}, "calls 'layer9' 0 times; accepted is one of conv1"),
        ({"backbone": "tests.strangers:Residual", "fusion": "product"}, "fusion must be one of sum, maximum"),
        ({"backbone": "tests.strangers:Branching", "cut": "fc"}, "cannot be followed"),
        ({"backbone": "tests.strangers:Skipping", "cut": "layer2"}, "is used behind it again"),
        ({"backbone": "tests.strangers:Nothing"}, "has no 'Nothing'"),
        ({"backbone": "a_package:net"}, "network.options.backbone names the class a_package:net, and code that a file"),
        ({}, "backbone"),
    ],
)
def test_what_cannot_be_two_streams_is_told(options, words):
    with pytest.raises(BadInput, match=words):
        build_network("two-stream", options, GREY, 5, 0)


def test_a_study_of_two_streams(tmp_path):
    options = "{backbone='tests.strangers:Residual', cut='layer1', fusion='gate'}"
    chosen = tiny(tmp_path, "network.kind=two-stream", f"network.options={options}")
    assert load_class("tests.strangers:Residual", "x", nn.Module) is Residual
    outcome = run_study(chosen, tmp_path / "out", "cpu")
    assert not outcome.failures


def test_cutting_disturbs_no_network_that_is_at_work_in_another_thread():
    busy, view = Residual(5).eval(), torch.zeros(1, 3, 16, 16)
    done = threading.Event()

    def work() -> int:
        times = 0
        while not done.is_set() or not times:
            busy(view)
            times += 1
        return times

    with ThreadPoolExecutor(3) as pool, torch.no_grad():
        working = pool.submit(work)
        try:
            for cut in list(pool.map(lambda seed: two_stream("Residual", cut="layer2", seed=seed), range(6))):
                assert cut(torch.zeros(1, 2, *GREY)).shape == (1, 5)
        finally:
            done.set()
        assert working.result() > 0
