"""Objectives: what is hidden, what is rebuilt from it, what is left alone, and what a phase without learning does."""

from __future__ import annotations

import copy
import itertools
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

import binocular
from binocular import protocols
from binocular.networks.cnn import SplitCNN
from binocular.protocols import Phase
from binocular.protocols.objectives import CLASSIFICATION
from binocular.protocols.objectives import Reconstruction as Asked
from binocular.rearing import loop as rearing
from binocular.rearing.batches import Batch
from binocular.rearing.cohort import LoopCohort, StackedCohort
from binocular.rearing.objectives import (
    Classification,
    Learner,
    Reconstruction,
    build_decoder,
    objective_of,
)
from binocular.rearing.objectives.decoder import is_decoder
from binocular.rearing.objectives.reconstruction import blank_patches
from binocular.runs.checking import check_protocol
from binocular.runs.planning import plan_study
from binocular.stimuli.errors import BadInput
from binocular.stimuli.streams import stream
from binocular.store.snapshots import read_node
from tests.tiny import TOML, assert_same, tiny, tiny_file

SHAPE = (1, 12, 12)
REBUILD = Reconstruction(Asked(patch=4, share=0.5))


def _learners(count: int) -> tuple[list[SplitCNN], list[torch.nn.Module]]:
    networks = []
    for seed in range(count):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            networks.append(SplitCNN(SHAPE, 4, width=3).double())
    return networks, [build_decoder(net.float(), SHAPE, seed).double() for seed, net in enumerate(networks)]


def _batch(objective=REBUILD, seed: int = 0, size: int = 6) -> Batch:
    generator = stream(seed, "test")
    views = torch.randn(size, 2, *SHAPE, generator=generator).double()
    return objective.prepare(Batch(views, torch.randint(4, (size,), generator=generator)), generator)


def _cohort(packing, count: int = 2):
    networks, decoders = _learners(count)
    return packing([network.double() for network in networks], 0.9, 0.01, decoders=decoders)


# ------------------------------------------------------------------ what is blanked


@pytest.mark.parametrize(("patch", "share", "expected"), [(2, 0.5, 8 / 16), (2, 0.1, 2 / 16), (4, 0.3, 1 / 4)])
def test_blanked_patches_are_whole_and_as_many_as_asked(patch, share, expected):
    mask = blank_patches((200, 2, 8, 8), patch, share, stream(0, "blank"))
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    assert torch.all(mask.mean(dim=(2, 3, 4)) == expected)
    blocks = mask.unfold(3, patch, patch).unfold(4, patch, patch).flatten(-2)
    assert torch.equal(blocks.amin(-1), blocks.amax(-1))
    # Every patch has its turn, and the eyes are blanked independently.
    assert mask.mean(dim=0).min() > 0
    both = (mask[:, 0] * mask[:, 1]).mean().item()
    assert both == pytest.approx(expected**2, abs=0.04)


def test_patches_need_not_divide_the_view():
    mask = blank_patches((3, 2, 10, 7), 4, 0.5, stream(0, "blank"))
    assert mask.shape == (3, 2, 1, 10, 7)


def test_what_is_rebuilt_is_what_the_eyes_would_have_seen():
    views = torch.randn(5, 2, *SHAPE, generator=stream(0, "views"))
    batch = REBUILD.prepare(Batch(views, torch.zeros(5, dtype=torch.int64)), stream(0, "blank"))
    assert torch.equal(batch.target, views)
    hidden = batch.blanked.expand_as(views) == 1
    assert torch.equal(batch.views[~hidden], views[~hidden])
    assert (batch.views[hidden] == 0).all()


# ------------------------------------------------------------------ the loss


def test_only_blanked_pixels_count():
    batch = _batch()
    rebuilt = torch.randn(batch.views.shape, generator=stream(1, "guess")).double()
    loss, right = REBUILD.judge({"rebuilt": rebuilt}, batch)
    hidden = batch.blanked.expand_as(rebuilt) == 1
    assert loss.item() == pytest.approx((rebuilt - batch.target)[hidden].square().mean().item())
    assert right.isnan()
    elsewhere = torch.where(hidden, rebuilt, rebuilt + 100)
    assert REBUILD.judge({"rebuilt": elsewhere}, batch)[0].item() == pytest.approx(loss.item())


def test_the_decoder_sees_only_what_the_trunk_passes():
    networks, decoders = _learners(1)
    learner = Learner(networks[0].double().eval(), decoders[0])
    one, other = _batch(seed=1), _batch(seed=2)
    for part in ("left", "right"):  # pathways that give the same, whatever the eyes see, hide everything
        for weight in getattr(networks[0], part).parameters():
            torch.nn.init.zeros_(weight)
    assert torch.equal(REBUILD.answer(learner, one)["rebuilt"], REBUILD.answer(learner, other)["rebuilt"])


def test_what_one_eye_is_to_rebuild_teaches_the_other_eyes_pathway():
    networks, decoders = _learners(1)
    learner, batch = Learner(networks[0].double(), decoders[0]), _batch()
    only_right = Batch(
        batch.views, batch.labels, None, batch.target, batch.blanked * torch.tensor([0.0, 1.0])[:, None, None, None]
    )
    loss, _ = REBUILD.judge(learner(REBUILD, only_right), only_right)
    for part in ("left", "right", "trunk"):
        gradients = torch.autograd.grad(loss, list(getattr(networks[0], part).parameters()), retain_graph=True)
        assert any(gradient.abs().max() > 0 for gradient in gradients)


@pytest.mark.parametrize("packing", [LoopCohort, StackedCohort])
def test_each_objective_leaves_the_other_ones_part_alone(packing):
    cohort = _cohort(packing)
    states = [cohort.state(0)]
    hidden = Reconstruction(Asked(labels=1.0, rebuild=0.0))
    for objective in (REBUILD, Classification(), Reconstruction(Asked(labels=1.0)), hidden):
        batches = [_batch(objective, seed) for seed in range(2)]
        outcome = cohort.step(batches, [0.1, 0.1], objective)
        assert outcome[:, 0].isfinite().all()
        assert outcome[0, 1].isnan().item() is (objective is REBUILD)
        states.append(cohort.state(0))
    shared = {"left", "right", "trunk"}
    expected = (shared | {"reconstruction"}, shared | {"head"}, shared | {"head", "reconstruction"}, shared | {"head"})
    for (before, after), moved in zip(itertools.pairwise(states), expected, strict=True):
        learns = [name for name in before if name.startswith(("weights", "momentum"))]
        changed = {name for name in learns if not torch.equal(before[name], after[name])}
        assert {name.split("/")[1].split(".")[0] for name in changed} == moved


def test_labels_on_blanked_views_are_the_labels_loss_alone():
    networks, decoders = _learners(1)
    learner, batch = Learner(networks[0].double().eval(), decoders[0]), _batch()
    hidden, both = Reconstruction(Asked(labels=2.0, rebuild=0.0)), Reconstruction(Asked(labels=2.0, rebuild=0.5))
    loss, right = hidden.judge(learner(hidden, batch), batch)
    scores = networks[0](batch.views)
    assert loss.item() == pytest.approx(2 * torch.nn.functional.cross_entropy(scores, batch.labels).item())
    assert right.item() == pytest.approx((scores.argmax(1) == batch.labels).double().mean().item())
    rebuilding, _ = REBUILD.judge(learner(REBUILD, batch), batch)
    together, _ = both.judge(learner(both, batch), batch)
    assert together.item() == pytest.approx(loss.item() + 0.5 * rebuilding.item())


def test_loop_and_stacked_rebuild_alike():
    loop, stacked = _cohort(LoopCohort, 3), _cohort(StackedCohort, 3)
    for step in range(3):
        batches = [_batch(seed=10 * step + subject) for subject in range(3)]
        rates = [0.1, 0.05, 0.2]
        one, other = loop.step(batches, rates, REBUILD), stacked.step(batches, rates, REBUILD)
        torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-9, equal_nan=True)
    for subject in range(3):
        first, second = loop.state(subject), stacked.state(subject)
        assert set(first) == set(second)
        for name, value in first.items():
            torch.testing.assert_close(second[name], value, rtol=1e-6, atol=1e-8)


def test_reconstruction_equals_plain_gradient_descent():
    networks, decoders = _learners(1)
    plain, decoder = copy.deepcopy(networks[0].double()), copy.deepcopy(decoders[0])
    cohort = LoopCohort([networks[0].double()], 0.9, 0.01, decoders=decoders)
    learned = [*plain.left.parameters(), *plain.right.parameters(), *plain.trunk.parameters(), *decoder.parameters()]
    optimiser = torch.optim.SGD(learned, lr=0.1, momentum=0.9, weight_decay=0.01)
    for seed in range(3):
        batch = _batch(seed=seed)
        cohort.step([batch], [0.1], REBUILD)
        optimiser.zero_grad()
        rebuilt = decoder(plain.trunk(plain.left(batch.views[:, 0]) + plain.right(batch.views[:, 1])))
        hidden = batch.blanked.expand_as(rebuilt) == 1
        (rebuilt - batch.target)[hidden].square().mean().backward()
        optimiser.step()
    state = cohort.state(0)
    for name, value in [
        *plain.named_parameters(),
        *((f"reconstruction.{n}", v) for n, v in decoder.named_parameters()),
    ]:
        torch.testing.assert_close(state[f"weights/{name}"], value.detach(), rtol=1e-7, atol=1e-9)


# ------------------------------------------------------------------ protocols


def test_defaults_are_in_neither_identity_nor_text():
    spelled = {"epochs": 3, "objective": {"kind": "classification"}, "head": "carry"}
    assert Phase.model_validate(spelled) == Phase(epochs=3)
    assert set(Phase(epochs=3).model_dump(mode="json")) & {"objective", "head"} == set()
    epochs = protocols.phases.unroll((Phase.model_validate(spelled),), protocols.Training())
    assert all(set(epoch.identity()) == {"deficits", "learning_rate"} for epoch in epochs)
    assert set(Asked().model_dump(mode="json")) == {"kind", "patch", "share", "labels"}


@pytest.mark.parametrize(
    "change",
    [
        {"objective": {"kind": "reconstruction"}},
        {"objective": {"kind": "reconstruction", "patch": 2}},
        {"objective": {"kind": "reconstruction", "labels": 1.0}},
        {"objective": {"kind": "reconstruction", "fresh": False}},
        {"objective": {"kind": "reconstruction", "labels": 1.0, "rebuild": 0.0}},
        {"objective": {"kind": "none"}},
        {"head": "reset"},
    ],
)
def test_what_is_learned_is_in_identity_text_and_sentence(change):
    plain, changed = Phase(epochs=2), Phase.model_validate({"epochs": 2, **change})
    training = protocols.Training()
    first = [e.identity() for e in protocols.phases.unroll((plain, plain), training)]
    second = [e.identity() for e in protocols.phases.unroll((plain, changed), training)]
    assert first[:2] == second[:2] and first[2] != second[2]
    assert json.loads(json.dumps(second)) == second
    assert changed.sentence() != plain.sentence()
    assert Phase.model_validate(changed.model_dump(mode="json", exclude_none=True)) == changed


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ('objective = "reconstruction"', "objective is 'reconstruction', but must be a table such as"),
        (
            'objective = { kind = "reconstruct" }',
            "but must be one of: classification, reconstruction, none, or module:Class; did you mean",
        ),
        ('objective = { kind = "reconstruction", patches = 4 }', "did you mean 'patch'?"),
        ('objective = { kind = "reconstruction", share = 0.0 }', "share is 0.0, but must be more than 0"),
        ('objective = { kind = "reconstruction", rebuild = 0.0 }', "objective.labels is 0, but must be more than 0"),
        ("objective = { patch = 4 }", "objective.kind is missing, but must be one of"),
        ('head = "new"', "head is 'new', but must be 'carry' or 'reset'"),
    ],
)
def test_wrong_objectives_are_refused_in_one_sentence(given, words):
    with pytest.raises(BadInput) as error:
        protocols.parse_protocol(TOML.replace("phases = [{ epochs = 6 }]", f"phases = [{{ epochs = 6, {given} }}]"))
    assert words in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["network.kind=split-mlp"], r"split-mlp cannot reconstruct, because its trunk gives \(batch, 2\)"),
        (["conditions.normal.phases.0.objective.patch=13"], "objective.patch is 13, but what one eye sees has 12 x 12"),
    ],
)
def test_what_cannot_reconstruct_is_said_before_anything_is_reared(tmp_path, settings, words):
    protocol = protocols.load_protocol(str(tiny_file(tmp_path, REBUILDING)), settings)
    with pytest.raises(BadInput, match=words):
        check_protocol(protocol, "cpu")


def test_an_objective_is_one_object_for_equal_descriptions():
    assert objective_of(Asked(patch=3)) is objective_of(Asked(patch=3)) is not objective_of(Asked(patch=2))
    assert objective_of(protocols.objectives.NoLearning()) is None
    assert isinstance(objective_of(CLASSIFICATION), Classification)


# ------------------------------------------------------------------ rearing

REBUILDING = TOML.replace(
    "phases = [{ epochs = 6 }]",
    'phases = [{ epochs = 3, objective = { kind = "reconstruction" } }, { epochs = 2, head = "reset" }]',
)


def _reared(folder: Path, *settings: str, text: str = REBUILDING) -> Path:
    protocol = protocols.load_protocol(str(tiny_file(folder.with_name(f"{folder.name}-protocol"), text)), settings)
    return binocular.run_study(protocol, folder, device="cpu").study


def _state(
    folder: Path, condition: str, at: int = -1, *settings: str, text: str = REBUILDING
) -> dict[str, torch.Tensor]:
    protocol = protocols.load_protocol(str(tiny_file(folder.with_name(f"{folder.name}-protocol"), text)), settings)
    path = plan_study(protocol, "cpu").tree.path[condition, 0]
    record = read_node(folder / "nodes" / f"{path[at]}.h5")
    assert record is not None
    return record.state


@pytest.fixture(scope="module")
def rebuilding(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study of which one condition reconstructs."""
    return _reared(tmp_path_factory.mktemp("rebuilding") / "out")


def test_a_study_that_reconstructs_is_sound_and_leaves_the_others_as_they_are(tmp_path, rebuilding):
    assert binocular.verify_study(rebuilding) == []
    binocular.run_study(tiny(tmp_path / "p"), tmp_path / "without", device="cpu")
    # The same histories beside one that reconstructs: the same network, and a decoder that was never touched.
    for condition in ("early", "late"):
        old = _state(tmp_path / "without", condition, text=TOML)
        new = _state(rebuilding.parent, condition)
        assert {name for name in new if not is_decoder(name.partition("/")[2])} == set(old) != set(new)
        assert all(torch.equal(new[name], value) for name, value in old.items())


def test_decoders_built_in_several_threads_are_those_of_their_seeds():
    network = SplitCNN((1, 12, 12), 4, width=2)

    def build(seed):
        return build_decoder(network, (1, 12, 12), seed, "split-cnn").state_dict()

    alone = [build(seed) for seed in range(40)]
    with ThreadPoolExecutor(4) as pool:
        for one, other in zip(pool.map(build, range(40)), alone, strict=True):
            assert all(torch.equal(one[name], value) for name, value in other.items())


def test_a_study_begun_without_a_decoder_is_taken_up_by_one_that_has(tmp_path):
    text = TOML.replace("{ epochs = 2 }]", '{ epochs = 2, objective = { kind = "reconstruction" } }]', 1)
    shorter = TOML.replace(", { epochs = 2 }]", "]", 1)
    binocular.run_study(
        protocols.load_protocol(str(tiny_file(tmp_path / "a", shorter))), tmp_path / "one", device="cpu"
    )
    _reared(tmp_path / "one", text=text)
    _reared(tmp_path / "other", text=text)
    first, second = (_state(tmp_path / name, "early", text=text) for name in ("one", "other"))
    assert set(first) == set(second)
    assert all(torch.equal(first[name], value) for name, value in second.items())


def test_the_head_is_drawn_afresh_and_nothing_else(tmp_path):
    text = TOML.replace(
        "phases = [{ epochs = 6 }]",
        'phases = [{ epochs = 2 }, { epochs = 1, head = "reset", objective = { kind = "none" } }]',
    )
    _reared(tmp_path, "training.packing=loop", text=text)
    before = _state(tmp_path, "normal", 0, "training.packing=loop", text=text)
    after = _state(tmp_path, "normal", -1, "training.packing=loop", text=text)
    changed = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert changed == {"weights/head.2.weight", "weights/head.2.bias", "momentum/head.2.weight", "momentum/head.2.bias"}
    assert (after["momentum/head.2.weight"] == 0).all()
    assert after["weights/head.2.weight"].abs().max() > 0


def test_nothing_is_learned_where_nothing_is_to_be(tmp_path):
    text = TOML.replace(
        "phases = [{ epochs = 6 }]", 'phases = [{ epochs = 3, objective = { kind = "none" } }, { epochs = 1 }]'
    )
    study = _reared(tmp_path, text=text)
    assert binocular.verify_study(study) == []
    history = binocular.open_study(study)["conditions/normal/0/history"]
    assert history["train_loss"].isnull().values.tolist() == [True, True, True, False]
    assert history["learning_rate"].values[3] == pytest.approx(0.05 * 0.98**3)


def test_killed_and_resumed_within_reconstruction_is_the_same_bit_for_bit(tmp_path, monkeypatch, rebuilding):
    monkeypatch.setattr(rearing, "_SAVE_EVERY", 0.0)
    original, count = rearing.rear_epoch, [0]

    def dies(group, epoch):
        conditions = group.nodes[0].epochs[epoch - group.nodes[0].start]
        count[0] += conditions.objective != CLASSIFICATION
        if count[0] == 2:
            raise RuntimeError("killed")
        original(group, epoch)

    monkeypatch.setattr(rearing, "rear_epoch", dies)
    _reared(tmp_path / "killed")
    assert list((tmp_path / "killed" / "nodes").glob("*.rearing.h5"))
    monkeypatch.setattr(rearing, "rear_epoch", original)
    _reared(tmp_path / "killed")
    nodes = list((rebuilding.parent / "nodes").glob("*.h5"))
    assert nodes
    for node in nodes:
        assert_same(node, tmp_path / "killed" / "nodes" / node.name)


def test_stacked_subjects_with_different_objectives_are_reared_in_groups(tmp_path):
    text = REBUILDING.replace("late", "same").replace(
        "phases = [{ epochs = 2, deficits", 'phases = [{ epochs = 3, objective = { kind = "reconstruction" }, deficits'
    )
    stacked, loop = ["training.packing=stacked", "seeds=2"], ["training.packing=loop", "seeds=2"]
    _reared(tmp_path / "stacked", *stacked, text=text)
    _reared(tmp_path / "loop", *loop, text=text)
    first = _state(tmp_path / "stacked", "normal", -1, *stacked, text=text)
    second = _state(tmp_path / "loop", "normal", -1, *loop, text=text)
    for name, value in first.items():
        torch.testing.assert_close(value, second[name], rtol=1e-2, atol=1e-3)


def test_probes_of_snapshots_ignore_the_decoder(tmp_path, rebuilding):
    from binocular.probes import probe_from
    from binocular.runs.measuring import measure_study

    study = Path(shutil.copytree(rebuilding.parent, tmp_path / "out")) / "study.h5"
    measure_study(study, probe_from("weights"))
    assert binocular.verify_study(study) == []


def test_time_lines_tell_what_is_learned_where_it_is_not_the_classes(tmp_path):
    from binocular.report.figures.timeline import time_lines
    from binocular.stimuli.canvas import Canvas

    def legend(text: str) -> list[str]:
        ax = Canvas((5, 3)).add_subplot()
        time_lines(protocols.parse_protocol(text), ax)
        return [entry.get_text() for entry in ax.get_legend().get_texts()]

    assert "hidden patches rebuilt" not in legend(TOML)
    assert legend(REBUILDING)[-1] == "hidden patches rebuilt"
    nothing = TOML.replace("{ epochs = 6 }", '{ epochs = 6, objective = { kind = "none" } }')
    assert legend(nothing)[-1] == "nothing learned"
    stretch = protocols.parse_protocol(REBUILDING).timeline()["normal"][0]
    assert stretch.objective["kind"] == "reconstruction" and "blanked and rebuilt" in stretch.sentence
