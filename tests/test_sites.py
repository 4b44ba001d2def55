"""Where networks are recorded from: names, places, closed forms at cells, and nothing computed beyond what is asked."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from binocular.networks.build import NETWORKS, build_network, check_network
from binocular.networks.sites import areas_of, central_places, chosen_sites, resolve_site, site_name, split_name
from binocular.probes import probe_from, response_grid, source_variance
from binocular.probes.recording import units_at
from binocular.probes.taking import take
from binocular.runs.running import run_study
from binocular.stimuli.errors import BadInput
from binocular.stimuli.streams import stream
from binocular.store.study import load_study
from tests.handmade import Still
from tests.synthetic import invented_subject
from tests.tiny import tiny

SHAPE = (1, 16, 16)


def views(n: int, seed: int, shape: tuple[int, int, int] = SHAPE) -> Tensor:
    return torch.randn(n, *shape, dtype=torch.float64, generator=stream(seed, "test"))


@pytest.mark.parametrize(
    ("name", "kind", "stored"),
    [
        ("representation", None, "representation"),
        ("representation", "pooled", "representation"),
        ("representation", "cell", "representation.cell"),
        ("representation.cell", "map", "representation.cell"),
        ("representation.pooled", None, "representation"),
        ("first_binocular", None, "first_binocular"),
        ("first_binocular.cell", None, "first_binocular"),
        ("first_binocular", "pooled", "first_binocular.pooled"),
        ("trunk.0", None, "trunk.0"),
        ("trunk.0.map", None, "trunk.0.map"),
    ],
)
def test_a_name_says_the_place_and_the_kind_of_unit(name, kind, stored):
    assert site_name(name, kind) == stored
    assert split_name(stored) == split_name(site_name(stored))


@pytest.mark.parametrize(
    ("size", "places"), [(1, [0]), (2, [0, 1]), (3, [0, 1, 2]), (4, [1, 2, 3]), (8, [3, 4, 5]), (15, [6, 7, 8])]
)
def test_cells_lie_within_a_place_of_the_centre(size, places):
    assert central_places(size, size) == [(row, column) for row in places for column in places]
    assert central_places(size, 1) == [(row, 0) for row in places]


def test_a_subject_of_the_default_size_has_a_hundred_cells_in_every_area():
    network = build_network("split-cnn", {}, SHAPE, 8, seed=0).eval()
    areas = areas_of(network)
    units = units_at(network, SHAPE, [resolve_site(network, f"{area}.cell") for area in areas])
    assert {name: about.count for name, about in units.items()} == {
        "first_binocular": 12 * 9,
        "trunk.1.rectify1": 24 * 9,
        "trunk.2.rectify1": 24 * 9,
        "representation.cell": 48 * 4,
    }
    assert [about.depth for about in units.values()] == [0, 1, 2, 3]
    first = units["first_binocular"]
    assert (first.kind, first.module, first.height, first.width) == ("cell", "trunk.0.rectify1", 8, 8)
    assert first.places == central_places(8, 8)


@pytest.mark.parametrize("kind", sorted(NETWORKS.keys() - {"two-stream"}))
def test_every_network_declares_where_its_cells_first_hear_both_eyes(kind):
    network = build_network(kind, {"width": 4}, SHAPE, 4, seed=0).double().eval()
    sites = chosen_sites(network, (), "pooled")
    assert [site.area for site in sites] == list(areas_of(network)) and sites[0].area == "first_binocular"
    grids = response_grid(network, views(4, 0), views(5, 1), [site.name for site in sites])
    units = units_at(network, SHAPE, sites)
    for name, grid in grids.items():
        assert grid.shape == (4, 5, units[name].count)
    cells = grids["first_binocular"]
    assert (cells >= 0).all() and (cells.flatten(0, 1).std(0) > 0).any()
    measured = source_variance(cells)
    assert ((measured.sv_left > 0) & (measured.sv_right > 0)).any()


class Weighted(nn.Module):
    """Every place hears ``left * weight + right * (1 - weight) + offset``; the fusion may be another one."""

    def __init__(self, weight: float, offset: float) -> None:
        super().__init__()
        self.left, self.right = (nn.Conv2d(1, 2, 1, bias=False) for _ in range(2))
        self.trunk = nn.Sequential(nn.Conv2d(2, 2, 1), nn.ReLU(), nn.Identity())
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3))
        self.double()
        with torch.no_grad():
            self.left.weight.fill_(weight)
            self.right.weight.fill_(1 - weight)
            self.trunk[0].weight.copy_(torch.eye(2).view(2, 2, 1, 1))  # type: ignore[index]
            self.trunk[0].bias.fill_(offset)  # type: ignore[index]

    first_binocular = "trunk.1"

    def forward(self, both: Tensor) -> Tensor:
        return self.head(self.trunk(self.left(both[:, 0]) + self.right(both[:, 1])))


class Product(Weighted):
    def fuse(self, left: Tensor, right: Tensor) -> Tensor:
        return left * right

    def forward(self, both: Tensor) -> Tensor:
        return self.head(self.trunk(self.fuse(self.left(both[:, 0]), self.right(both[:, 1]))))


class Whole(nn.Module):
    """The same computation by a network that declares nothing."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, both: Tensor) -> Tensor:
        return self.inner(both)


@pytest.mark.parametrize("weight", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_cells_of_a_weighted_sum_have_the_closed_form(weight):
    """At an offset at which no cell is ever cut at 0, SV_left = w^2 Var(left), SV_right = (1 - w)^2 Var(right)."""
    network = Weighted(weight, offset=50).eval()
    left, right = views(30, 0, (1, 6, 6)), views(20, 1, (1, 6, 6))
    measured = source_variance(response_grid(network, left, right, ["first_binocular"])["first_binocular"])
    at = np.array([[left[:, 0, row, column].var().item() for row, column in central_places(6, 6)]] * 2).ravel()
    of_right = np.array([[right[:, 0, row, column].var().item() for row, column in central_places(6, 6)]] * 2).ravel()
    np.testing.assert_allclose(measured.sv_left, weight**2 * at, rtol=1e-9, atol=1e-20)
    np.testing.assert_allclose(measured.sv_right, (1 - weight) ** 2 * of_right, rtol=1e-9, atol=1e-20)
    np.testing.assert_allclose(measured.interaction, 0, atol=1e-9)


def test_a_network_may_fuse_as_it_likes():
    network = Product(0.5, offset=0).eval()
    assert check_network(network.float(), (1, 6, 6), 3) == []
    grid = response_grid(network.double(), views(400, 0, (1, 6, 6)), views(400, 1, (1, 6, 6)), ["trunk.0.centre"])
    assert (source_variance(grid["trunk.0.centre"]).interaction > 0.97).all()


@pytest.mark.parametrize("make", [Weighted, Product])
def test_whole_presentations_give_what_pathways_give(make):
    network = make(0.3, offset=0.1).eval()
    left, right = views(5, 0, (1, 6, 6)), views(4, 1, (1, 6, 6))
    names = ["trunk.1", "trunk.0.map", "trunk.2.pooled", "left.map"]
    by_pathway = response_grid(network, left, right, names, pairs_per_block=8)
    whole = response_grid(Whole(network).eval(), left, right, [f"inner.{name}" for name in names], pairs_per_block=8)
    for name, grid in by_pathway.items():
        torch.testing.assert_close(whole[f"inner.{name}"], grid, rtol=0, atol=1e-14)


def test_swapping_the_eyes_changes_the_sign_at_cells_exactly():
    network = build_network("split-cnn", {"width": 3}, SHAPE, 4, seed=1).double().eval()
    left, right = views(5, 0), views(5, 1)
    names = list(areas_of(network))
    plain = {name: source_variance(grid) for name, grid in response_grid(network, left, right, names).items()}
    network.left, network.right = network.right, network.left
    mirrored = {name: source_variance(grid) for name, grid in response_grid(network, right, left, names).items()}
    for name in names:
        np.testing.assert_allclose(mirrored[name].rsv, -plain[name].rsv, rtol=1e-9, atol=1e-12)
        assert mirrored[name].n_silent == plain[name].n_silent
    assert np.nanstd(plain["first_binocular"].rsv) > 0.05


def test_the_grid_runs_only_as_deep_as_it_is_asked():
    network = build_network("split-cnn", {"width": 3}, SHAPE, 4, seed=1).double().eval()
    calls = dict.fromkeys(("left", "right", "trunk.0.rectify1", "trunk.0.conv1", "trunk.1", "head"), 0)
    for name in calls:

        def count(*_: object, name: str = name) -> None:
            calls[name] += 1

        network.get_submodule(name).register_forward_hook(count)
    response_grid(network, views(4, 0), views(4, 1), ["first_binocular"], pairs_per_block=8)
    assert calls == {"left": 1, "right": 1, "trunk.0.rectify1": 2, "trunk.0.conv1": 0, "trunk.1": 0, "head": 0}
    response_grid(network, views(4, 0), views(4, 1), ["first_binocular", "representation"], pairs_per_block=8)
    assert calls["trunk.1"] == 2 and calls["head"] == 0


def test_units_of_a_pathway_hear_one_eye():
    network = build_network("split-cnn", {"width": 3}, SHAPE, 4, seed=1).double().eval()
    grids = response_grid(network, views(4, 0), views(5, 1), ["left.2", "right.2", "representation"])
    for name, sign in {"left.2": 1, "right.2": -1}.items():
        rsv = source_variance(grids[name]).rsv
        heard = rsv[~np.isnan(rsv)]
        assert len(heard) > 9 and (heard == sign).all()


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("trunk.99", "accepted: first_binocular, trunk.1.rectify1, .*representation.* any of its modules: trunk"),
        ("frist_binocular", "accepted: first_binocular"),
        ("trunk.1.shortcut.cell", "cannot be recorded from"),
    ],
)
def test_what_is_no_site_is_told(name, word):
    network = build_network("split-cnn", {"width": 3}, SHAPE, 4, seed=1).double().eval()
    network.trunk[1].shortcut = nn.Identity() if "shortcut" in name else network.trunk[1].shortcut  # type: ignore
    with torch.no_grad(), pytest.raises(BadInput, match=word):
        if "shortcut" in name:
            network.trunk[1].forward = lambda x: x.new_zeros(len(x), 6, 8, 8)  # type: ignore
        response_grid(network, views(4, 0), views(5, 1), [name])


def test_a_module_of_both_eyes_cannot_be_recorded_from():
    network = build_network("split-transformer", {"width": 4, "shared": True}, SHAPE, 4, seed=1).double().eval()
    with pytest.raises(BadInput, match=r"left\.embedding' is shared by the pathways of both eyes"):
        response_grid(network, views(4, 0), views(5, 1), ["left.embedding"])


def test_both_halves_of_a_map_of_two_eyes_are_recorded():
    network = build_network("split-transformer", {"width": 4}, (1, 20, 20), 4, seed=1).eval()
    (units,) = units_at(network, (1, 20, 20), [resolve_site(network, "first_binocular")]).values()
    assert (units.height, units.width) == (10, 5)
    middle = [(row, column) for row in (1, 2, 3) for column in (1, 2, 3)]
    assert units.places == middle + [(row + 5, column) for row, column in middle]


def test_a_probe_that_takes_sites_at_once_finds_what_it_finds_one_by_one():
    network = build_network("split-cnn", {"width": 2}, (1, 8, 8), 4, seed=1).eval()
    probe = probe_from("source-variance", ["n_stimuli=6", "bootstrap=4"])
    names = ["first_binocular", "trunk.1.rectify1", "representation"]
    at_once = take(probe, network, Still(), 0, names)
    for name in names:
        for column, values in take(probe, network, Still(), 0, [name])[name].items():
            np.testing.assert_array_equal(at_once[name][column], values, err_msg=f"{name} {column}")


def test_what_units_are_is_kept_with_them():
    record = invented_subject(cell_site=True).sites["first_binocular"]
    assert record.units is not None and type(record.units).of(record.units.attributes()) == record.units


@pytest.mark.parametrize("package", ["binocular", "binocular.probes", "binocular.stimuli", "binocular.protocols"])
def test_no_public_name_is_hidden_by_a_module_of_that_name(package):
    """Importing a module puts its name into the package, in place of a function that is loaded when first used."""
    found = importlib.import_module(package)
    modules = {module.name for module in pkgutil.iter_modules(found.__path__)}
    hidden = [name for name in found.__all__ if name in modules and not isinstance(getattr(found, name), ModuleType)]
    assert not hidden


def test_a_subject_in_a_stack_has_the_cells_that_it_has_alone(tmp_path):
    settings = ("seeds=[3, 4]", "probes.sites=['first_binocular']", "conditions.normal.phases.0.epochs=2")
    alone = ("seeds=[4]", *settings[1:])
    found = []
    for packing, own in (("stacked", settings), ("loop", alone)):
        folder = tmp_path / packing
        path = run_study(tiny(folder, *own, f"training.packing='{packing}'"), folder / "out", "cpu").study
        found.append(load_study(path).condition("early").subjects[-1].sites["first_binocular"])
    one, other = found
    assert one.units == other.units
    np.testing.assert_array_equal(one.epoch, other.epoch)
    np.testing.assert_allclose(one.values["rsv"], other.values["rsv"], atol=2e-3)
