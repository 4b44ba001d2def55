"""A head for each eye and one for both: which of them a presentation teaches, and which one answers in a test."""

from __future__ import annotations

import pytest
import torch

from binocular import protocols
from binocular.networks.base import HEADS
from binocular.networks.build import build_network, check_network
from binocular.probes.weights import FisherInformation
from binocular.protocols import deficit_from
from binocular.protocols.phases import EpochConditions
from binocular.rearing.batches import Batch, Presenter
from binocular.rearing.cohort import LoopCohort, StackedCohort
from binocular.rearing.objectives import Classification
from binocular.runs.running import run_study
from binocular.stimuli.errors import BadInput
from binocular.stimuli.streams import stream
from binocular.store.snapshots import read_node
from binocular.store.verification import verify_study
from tests.handmade import Still
from tests.tiny import TOML, tiny_file

SHAPE = (1, 12, 12)
PER_EYE = {"width": 3, "heads": "per-eye"}


def _network(kind="split-cnn", **options):
    return build_network(kind, {**PER_EYE, **options}, SHAPE, 4, seed=0)


def _random_batch(seed, head=None):
    generator = stream(seed, "test")
    views = torch.randn(8, 2, *SHAPE, generator=generator)
    return Batch(views, torch.randint(4, (8,), generator=generator), head)


@pytest.mark.parametrize("kind", ["split-cnn", "split-resnet-18"])
def test_a_network_with_a_head_per_eye_fits_and_answers_with_the_head_of_both(kind):
    network, plain = _network(kind), build_network(kind, {"width": 3}, SHAPE, 4, seed=0)
    assert check_network(network, SHAPE, 4) == []
    views = _random_batch(0).views
    network.eval(), plain.eval()
    # A subject with three heads starts like its twin with one: the same weights where both have them.
    assert torch.equal(network(views), plain(views))
    for number, name in enumerate(HEADS):
        chosen = network(views, head=torch.full((8,), number))
        other = network.head.get_submodule(name)(network.trunk(network.left(views[:, 0]) + network.right(views[:, 1])))
        torch.testing.assert_close(chosen, other)
    mixed = network(views, head=torch.tensor([0, 1, 2, 2, 1, 0, 0, 1]))
    torch.testing.assert_close(mixed[1], network(views, head=torch.full((8,), 1))[1])


def test_the_published_network_with_three_heads_has_the_published_size():
    network = build_network("split-resnet-18", {"heads": "per-eye"}, (3, 32, 32), 10, seed=0)
    # Counted in the multi-head network of the released code.
    assert sum(parameter.numel() for parameter in network.parameters()) == 11_856_542


def _moved(before, after):
    return {
        name
        for name in HEADS
        if not torch.equal(before[f"weights/head.{name}.2.weight"], after[f"weights/head.{name}.2.weight"])
    }


@pytest.mark.parametrize("packing", [LoopCohort, StackedCohort])
@pytest.mark.parametrize("taught", [(0,), (1,), (2,), (0, 1)])
def test_only_heads_that_are_taught_change(packing, taught):
    cohort = packing([_network(), _network()], 0.9, 0.0)
    before = cohort.state(0)
    head = torch.tensor([taught[i % len(taught)] for i in range(8)])
    cohort.step([_random_batch(seed, head) for seed in (0, 1)], [0.1, 0.1])
    assert _moved(before, cohort.state(0)) == {HEADS[number] for number in taught}


def test_both_packings_compute_the_same_with_three_heads():
    head = torch.tensor([0, 1, 2, 2, 1, 0, 0, 1])
    states = []
    for packing in (LoopCohort, StackedCohort):
        cohort = packing([_network().double(), _network(width=3).double()], 0.9, 5e-4)
        for step in range(3):
            batches = [_random_batch(seed + 10 * step, head) for seed in (0, 1)]
            cohort.step([Batch(b.views.double(), b.labels, b.head) for b in batches], [0.1, 0.05])
        states.append(cohort.state(1))
    for name, value in states[0].items():
        torch.testing.assert_close(value, states[1][name], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(("labelling", "own"), [("paired", 1.0), ("as-released", 0.5)])
def test_a_head_learns_its_own_eyes_labels_if_paired_and_half_of_the_others_if_as_released(labelling, own):
    deficit = deficit_from({"kind": "dissociation", "eye": "right", "labelling": labelling})
    still, agreed = Still(), []
    for epoch in range(60):
        conditions = EpochConditions(epoch, 0, "x", True, 1, (deficit,), 0.1)
        presenter = Presenter(still, 16, conditions, Classification(), 1, epoch, "cpu", several_heads=True)
        order = torch.randperm(80, generator=stream(1, "order", epoch))
        for number in range(presenter.n_batches):
            batch = presenter.batch(number)
            left = still.labels["train"][order[number * 16 : (number + 1) * 16]]
            seen = [int(still._views[:, 1].sub(view).abs().flatten(1).sum(1).argmin()) for view in batch.views[:, 1]]
            right = still.labels["train"][seen]
            assert set(batch.head.tolist()) <= {0, 1}
            differ = left != right
            mine = torch.where(batch.head == 0, left, right)
            agreed += (mine == batch.labels)[differ].tolist()
    assert len(agreed) > 1000
    share = sum(agreed) / len(agreed)
    assert share == own if own == 1.0 else abs(share - own) < 0.06


def test_fisher_information_takes_the_head_that_answers():
    three, one = _network(), build_network("split-cnn", {"width": 3}, SHAPE, 4, seed=0)
    found = [FisherInformation(n_stimuli=6, labels="all").measure(n.eval(), Still(), 0) for n in (three, one)]
    assert found[0]["fisher_trace"].tolist() == pytest.approx(found[1]["fisher_trace"].tolist(), rel=1e-5)
    assert found[0]["n_weights"][3] == 3 * found[1]["n_weights"][3]


def test_a_study_teaches_the_heads_of_the_eyes_while_they_are_dissociated_and_the_third_one_otherwise(tmp_path):
    dissociated = TOML.replace('kind = "occlusion", eye = "treated"', 'kind = "dissociation", eye = "treated"')
    only = '{ epochs = 2, deficits = [{ kind = "dissociation", eye = "treated" }] }'
    dissociated += f'[[conditions]]\nname = "only"\nphases = [{only}]\n'
    settings = ['network.options={ width = 2, heads = "per-eye" }', "training.weight_decay=0"]
    protocol = protocols.load_protocol(str(tiny_file(tmp_path, dissociated)), settings)
    outcome = run_study(protocol, tmp_path / "out", "cpu")
    assert not outcome.failures
    assert verify_study(outcome.study) == []
    nodes = [read_node(path) for path in sorted((tmp_path / "out" / "nodes").glob("*.h5"))]
    fresh = build_network("split-cnn", {"width": 2, "heads": "per-eye"}, (1, 12, 12), 8, seed=0)
    untrained = {f"weights/{name}": value.detach() for name, value in fresh.named_parameters()}
    moved = {(node.start, node.stop): _moved(untrained, node.state) for node in nodes if node}
    assert moved[0, 3] == {"both"}
    assert moved[0, 2] == {"left", "right"}
    assert moved[2, 4] == {"left", "right", "both"}


@pytest.mark.parametrize("kind", ["split-cnn", "split-resnet-18"])
def test_other_heads_are_refused(kind):
    with pytest.raises(BadInput, match="'one' or 'per-eye'"):
        build_network(kind, {"heads": "three"}, SHAPE, 4, seed=0)
