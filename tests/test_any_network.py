"""Any network can be reared and recorded from, whatever it declares."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import tests.strangers  # noqa: F401 - whose classes are named below
from binocular.networks.build import build_network
from binocular.networks.declared import found_of, has_pathways, map_of_tokens
from binocular.networks.sites import areas_of, resolve_site
from binocular.probes import probe_from, response_grid, source_variance, vision
from binocular.probes.recording import units_at
from binocular.probes.taking import take
from binocular.rearing.batches import Batch
from binocular.rearing.cohort import LoopCohort, StackedCohort
from binocular.runs.abilities import abilities
from binocular.runs.checking import check_protocol
from binocular.runs.measuring import measure_study
from binocular.runs.running import run_study
from binocular.stimuli.errors import BadInput
from binocular.stimuli.streams import stream
from binocular.stimuli.user_code import allow
from binocular.store.study import load_study
from tests.handmade import Still
from tests.tiny import tiny

SHAPE = (1, 12, 12)
FUSING = ["Side", "Maximum", "Gated", "Attending"]


def stranger(name: str, shape: tuple[int, int, int] = SHAPE, seed: int = 0, **options: object) -> nn.Module:
    return build_network(f"tests.strangers:{name}", options, shape, 4, seed).eval()


def eyes(n: int, shape: tuple[int, int, int] = SHAPE) -> tuple[Tensor, Tensor]:
    left, right = torch.randn(2, n, *shape, generator=stream(0, "test"))
    return left, right


@pytest.mark.parametrize("name", FUSING)
@pytest.mark.parametrize("shape", [SHAPE, (3, 16, 16)])
def test_pathways_run_once_and_whole_presentations_give_the_same_rsv(name, shape):
    network = stranger(name, shape).double()
    assert has_pathways(network)
    left, right = (eye.double() for eye in eyes(6, shape))
    names = ["left.0", "first_binocular", "trunk.0.map", "representation"]
    calls = []
    counting = network.left.register_forward_hook(lambda *_: calls.append(1))  # type: ignore[union-attr]
    by_pathways = response_grid(network, left, right, names, pairs_per_block=12)
    assert len(calls) == 1
    counting.remove()
    network._found_by_binocular = dataclasses.replace(found_of(network), by_pathways=False)  # type: ignore[assignment]
    whole = response_grid(network, left, right, names, pairs_per_block=12)
    for site in names:
        found, expected = source_variance(by_pathways[site]), source_variance(whole[site])
        np.testing.assert_allclose(found.rsv, expected.rsv, rtol=0, atol=1e-9)
        np.testing.assert_allclose(found.interaction, expected.interaction, rtol=0, atol=1e-9)


def test_where_both_eyes_meet_is_found():
    expected = {
        "Concatenating": ("act", "drop"),
        "Side": ("trunk.1", "trunk"),
        "Attending": ("fuse.after", "trunk"),
        "Shared": ("trunk.1", "trunk"),
    }
    for name, (first, last) in expected.items():
        assert areas_of(stranger(name)) == {"first_binocular": first, "representation": last}, name


def test_a_forward_of_its_own_is_recorded_by_whole_presentations():
    network = stranger("Concatenating")
    assert not has_pathways(network)
    left, right = eyes(5)
    grids = response_grid(network, left, right, ["one.1.map", "first_binocular", "mix.map", "representation"])
    assert (source_variance(grids["one.1.map"]).rsv == 1).all()  # a unit of the left stem
    assert (grids["one.1.map"] < 0).any(), "a rectification in place must not reach what was recorded before it"
    heard = network.mix(torch.cat([network.one(left[:1]), network.other(right[1:2])], 1))  # type: ignore[operator]
    torch.testing.assert_close(grids["mix.map"][0, 1], heard.flatten())


def test_noise_at_every_look_hides_neither_a_forward_of_its_own_nor_where_the_eyes_meet():
    assert has_pathways(stranger("Noisy"))
    assert not has_pathways(stranger("Noisy", scale=2.0))
    assert areas_of(stranger("Noisy"))["first_binocular"] == "trunk.1", "what is random hears no eye by that"


def test_vision_is_the_same_by_whole_presentations():
    network = build_network("tests.strangers:Side", {}, Still.shape, 4, 3).eval()
    assert isinstance(network, nn.Module)
    by_pathways = vision(network, Still())
    network._found_by_binocular = dataclasses.replace(found_of(network), by_pathways=False)  # type: ignore[assignment]
    assert vision(network, Still()) == by_pathways


def test_tokens_are_units_at_places_and_channels_come_last():
    network = stranger("Tokens", (3, 16, 16))
    sites = ["encoder", "encoder.layers.0.linear1", "embed", "representation"]
    units = units_at(network, (3, 16, 16), [resolve_site(network, site) for site in sites])
    found = {name: (about.channels, about.height, about.width, len(about.places)) for name, about in units.items()}
    assert found == {
        "encoder": (8, 8, 4, 18),  # a map of each eye, 3 x 3 places near the centre of each
        "encoder.layers.0.linear1": (16, 8, 4, 18),
        "embed": (8, 4, 4, 9),
        "representation": (8, 1, 1, 0),
    }
    left, right = eyes(3, (3, 16, 16))
    grid = response_grid(network, left, right, ["encoder.map"])["encoder.map"]
    with torch.no_grad():
        kept = []
        network.encoder.register_forward_hook(lambda *given: kept.append(given[2]))  # type: ignore[union-attr]
        network(torch.stack([left[:1], right[2:]], 1))
    torch.testing.assert_close(grid[0, 2], kept[0][0, 1:].T.flatten())
    assert areas_of(network)["first_binocular"] == "encoder.layers.0.dropout1"


def test_how_tokens_lie():
    assert map_of_tokens(64) == (0, 8, 8) and map_of_tokens(65) == (1, 8, 8) and map_of_tokens(2) == (0, 1, 2)


def _batch(shape: tuple[int, int, int]) -> Batch:
    draw = stream(1, "batch")
    # Strides as augmentation leaves them: channels run fastest.
    views = torch.randn(6, 2, *shape[1:], shape[0], generator=draw).permute(0, 1, 4, 2, 3)
    return Batch(views, torch.arange(6) % 4)


@pytest.mark.parametrize("packing", [LoopCohort, StackedCohort])
def test_frozen_parts_and_parts_that_nothing_depends_on(packing):
    cohort = packing([stranger("PartlyFixed", seed=seed).train() for seed in (0, 1)], 0.9, 0.0)
    cohort.freeze(1, ("trunk.0",))
    before = [cohort.state(subject) for subject in (0, 1)]
    for _ in range(2):
        cohort.step([_batch(SHAPE)] * 2, [0.1, 0.1])
    for subject, still in ((0, ("left", "unused")), (1, ("left", "unused", "trunk"))):
        after = cohort.state(subject)
        moved = {
            name.split("/")[1].split(".")[0]
            for name in after
            if "weights/" in name and not torch.equal(before[subject][name], after[name])
        }
        assert moved == {"left", "right", "trunk", "head", "unused"} - set(still)


def test_a_view_in_a_forward_learns_from_views_in_any_order():
    network = stranger("Concatenating", (3, 12, 12)).train()
    assert found_of(network).contiguous
    outcome = LoopCohort([network], 0.9, 0.0).step([_batch((3, 12, 12))], [0.1])
    assert outcome.isfinite().all()


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("Dictionary", {}, "gives a dict, not a tensor of scores"),
        ("Tokens", {"image_size": 16}, "views of shape"),
        ("plain", {}, r"network.options.planes is missing: .* \$channels"),
        ("by_length", {}, r"network.options.channels is missing: .* \$channels"),
        ("Unknown", {}, "gives scores that are not numbers"),
        ("Ending", {}, "fail: SystemExit: 3"),
        ("NUMBER", {}, "has 'NUMBER', which is no class of the kind Module"),
        ("Concatenating", {"width": "$depth"}, "width is '\\$depth', but must be a whole number"),
    ],
)
def test_what_does_not_fit_is_told(name, options, words):
    allow({f"tests.strangers:{name}"})
    with pytest.raises(BadInput, match=words):
        stranger(name, **options)


def test_arguments_of_other_names_follow_from_the_stimulus():
    assert stranger("Concatenating", (3, 12, 12), width=3).get_submodule("one.0").in_channels == 3
    tokens = stranger("Tokens", (3, 16, 16), image_size="$height", width=4)
    assert tokens.get_submodule("classify").out_features == 4
    assert tokens.get_parameter("place").shape == (1, 33, 4)


def test_a_study_of_a_network_that_declares_nothing(tmp_path, monkeypatch):
    settings = (
        "network.kind=tests.strangers:Concatenating",
        "network.options={}",
        "probes.sites=['first_binocular','other.0','representation']",
    )
    outcome = run_study(tiny(tmp_path, *settings), tmp_path / "out", "cpu")
    assert not outcome.failures
    study = load_study(outcome.study)
    subject = study.conditions[0].subjects[0]
    assert list(subject.sites) == ["first_binocular", "other.0", "representation"]
    rsv = subject.sites["other.0"].values["rsv"][-1]
    assert (rsv[~np.isnan(rsv)] == -1).all() and (rsv == -1).any()
    monkeypatch.setattr("binocular.runs.planning.code_of", lambda cls: "another")
    with pytest.raises(BadInput, match="the code of the network changed since condition normal, seed 0, was reared"):
        measure_study(outcome.study, "one-eye")


def test_only_parts_that_are_there_are_frozen_or_drawn_afresh(tmp_path):
    own = ("network.kind=tests.strangers:Concatenating", "network.options={}", "conditions.late.phases.0.epochs=1")
    with pytest.raises(BadInput, match=r"phases\[0\]\.freeze: tests.strangers:Concatenating has no part 'left'"):
        check_protocol(tiny(tmp_path, *own, "conditions.normal.phases.0.freeze='left'"), "cpu")
    with pytest.raises(BadInput, match=r"has no module 'head'"):
        check_protocol(tiny(tmp_path, *own, "conditions.late.phases.1.head='reset'"), "cpu")
    with pytest.raises(BadInput, match=r"cannot reconstruct, because its forward is not head"):
        check_protocol(tiny(tmp_path, *own, "conditions.normal.phases.0.objective={kind='reconstruction'}"), "cpu")
    chosen = tiny(tmp_path, *own, "conditions.normal.phases.0.freeze=['one', 'mix.bias']")
    assert check_protocol(chosen, "cpu").study.protocol.conditions[0].phases[0].freeze == ("one", "mix.bias")


@pytest.mark.parametrize(
    ("name", "possible", "lacking"),
    [
        ("Side", ("run once for each view", "fisher", "reconstruction"), ("needs", "representation")),
        (
            "Concatenating",
            ("the whole network runs", "first_binocular (act, 6 x 6 x 6"),
            ("fisher needs left", "plasticity needs left"),
        ),
    ],
)
def test_what_is_possible_with_a_network_is_told(tmp_path, name, possible, lacking):
    chosen = tiny(tmp_path, f"network.kind=tests.strangers:{name}", "network.options={}")
    found = list(abilities(chosen))
    assert [ability.topic for ability in found] == [
        "network", "pathways", "areas", "sites", "probes", "objectives", "speed",
    ]  # fmt: skip
    texts, more = "\n".join(a.text for a in found), "\n".join(a.add for a in found)
    assert all(words in texts for words in possible)
    assert all((words in more) is (name == "Concatenating") for words in lacking)


def test_a_network_of_one_layer_tells_what_is_possible(tmp_path):
    found = {
        a.topic: a.text for a in abilities(tiny(tmp_path, "network.kind=tests.strangers:Flat", "network.options={}"))
    }
    assert found["areas"] == "first_binocular (only, 8 x 1 x 1, found), representation (only, 8 x 1 x 1, found)"


@pytest.mark.parametrize("name", ["weights", "fisher", "plasticity"])
def test_a_probe_of_pathways_says_what_it_needs(name):
    with pytest.raises(BadInput, match=f"probe {name}: the network has no module 'left'; it needs left, right"):
        take(probe_from(name), stranger("Concatenating"), Still(), 0, [])


def test_no_two_threads_parse_code_at_once(monkeypatch):
    import ast
    import threading
    import time

    from binocular.stimuli import user_code
    from tests import strangers

    at_once, most, parse = 0, 0, ast.parse

    def watched(source):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        time.sleep(0.005)
        at_once -= 1
        return parse(source)

    monkeypatch.setattr(user_code.ast, "parse", watched)
    threads = [threading.Thread(target=user_code._collect, args=(strangers.__name__, {}, set())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
