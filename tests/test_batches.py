"""What a subject is shown: its parts, and which head a presentation teaches."""

from __future__ import annotations

import pytest
import torch

from binocular.protocols import deficit_from
from binocular.protocols.objectives import Reconstruction as Rebuilding
from binocular.protocols.phases import EpochConditions
from binocular.rearing.batches import Batch, Presenter
from binocular.rearing.objectives import Classification, Reconstruction
from binocular.stimuli.streams import stream
from tests.handmade import Still


def _presenter(deficits=(), several_heads=False, seed=1, epoch=3, objective=None):
    conditions = EpochConditions(0, 0, "x", True, 1, tuple(deficit_from(d) for d in deficits), 0.1)
    return Presenter(Still(), 16, conditions, objective or Classification(), seed, epoch, "cpu", several_heads)


DISSOCIATION = {"kind": "dissociation", "eye": "right"}


def test_one_head_needs_no_say():
    batch = _presenter([DISSOCIATION]).batch(0)
    assert batch.head is None
    assert set(batch.tensors()) == {"views", "labels"}


def test_normal_vision_teaches_the_head_of_both_eyes():
    assert _presenter(several_heads=True).batch(0).head.tolist() == [2] * 16


def test_dissociation_teaches_the_head_of_the_eye_that_gave_the_label():
    still, order = Still(), torch.randperm(80, generator=stream(1, "order", 3))
    presenter = _presenter([DISSOCIATION], several_heads=True)
    taught = set()
    for number in range(presenter.n_batches):
        batch = presenter.batch(number)
        own = still.labels["train"][order[number * 16 : (number + 1) * 16]]
        # The left eye stayed: where its head is taught, the label is that of the picture it sees.
        assert torch.equal(batch.labels[batch.head == 0], own[batch.head == 0])
        seen = [int(still._views[:, 1].sub(view).abs().flatten(1).sum(1).argmin()) for view in batch.views[:, 1]]
        right = batch.head == 1
        assert torch.equal(batch.labels[right], still.labels["train"][seen][right])
        taught |= set(batch.head.tolist())
    assert taught == {0, 1}


def test_presentations_that_are_not_dissociated_keep_their_head():
    heads = _presenter([{**DISSOCIATION, "share": 0.5}], several_heads=True).batch(0).head
    assert set(heads.tolist()) == {0, 1, 2}


def test_asking_for_heads_changes_nothing_else():
    deficits = [DISSOCIATION, {"kind": "noise", "eye": "left", "sd": 1.0}]
    plain, headed = _presenter(deficits), _presenter(deficits, several_heads=True)
    for number in range(3):
        one, other = plain.batch(number), headed.batch(number)
        assert torch.equal(one.views, other.views) and torch.equal(one.labels, other.labels)


def test_stacking_wants_the_same_parts():
    views, labels = torch.zeros(2, 2, 1, 8, 8), torch.zeros(2, dtype=torch.int64)
    assert Batch.stacked([Batch(views, labels)] * 3)["views"].shape == (3, 2, 2, 1, 8, 8)
    with pytest.raises(ValueError, match="different parts"):
        Batch.stacked([Batch(views, labels), Batch(views, labels, labels)])


def test_of_a_picture_the_same_patches_can_be_hidden_every_time():
    def hidden(fresh: bool, epoch: int, seed: int = 1) -> torch.Tensor:
        presenter = _presenter(seed=seed, epoch=epoch, objective=Reconstruction(Rebuilding(patch=1, fresh=fresh)))
        masks = torch.cat([presenter.batch(number).blanked for number in range(presenter.n_batches)])
        assert len(masks) == 80
        return masks[torch.randperm(80, generator=stream(seed, "order", epoch)).argsort()]

    always = hidden(False, 0)
    assert torch.equal(always, hidden(False, 1)) and len(always.flatten(1).unique(dim=0)) > 1
    assert not torch.equal(always, hidden(False, 0, seed=2)), "another subject"
    assert not torch.equal(hidden(True, 0), hidden(True, 1)) and not torch.equal(always, hidden(True, 0))
