"""Frames of drifting windows: geometry, what one frame can tell, and the claim about unrelated frames."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from binocular import protocols
from binocular.papers.kleinman_2023.frames import CLAIMS
from binocular.stimuli import stimulus_config, stream
from binocular.stimuli.errors import BadInput
from binocular.stimuli.moving_frames import MOTIONS, SHOWN, MovingFrames
from binocular.stimuli.photographs import photograph
from tests.made_studies import Made, assert_draws, made_study


def config(**fields) -> MovingFrames:
    made = stimulus_config({"kind": "moving-frames", "n_train": 64, "n_test": 256, **fields})
    assert isinstance(made, MovingFrames)
    return made


@pytest.mark.parametrize("step", [1, 3, 4])
def test_the_next_frame_shows_what_the_first_showed_farther_on(step: int):
    frames = config(noise=0, step=step).build(0)
    views = frames.views("test", torch.arange(256), None)[:, :, 0]
    motion = frames.tasks["motion"][frames.labels["test"]]
    for number, (down, right) in enumerate(MOTIONS.values()):
        first, then = views[motion == number].unbind(1)
        # A window that drifts to the right sees next at column x what it saw first at x + step.
        kept = [slice(max(0, step * d), 16 + min(0, step * d)) for d in (down, right)]
        seen = [slice(max(0, -step * d), 16 + min(0, -step * d)) for d in (down, right)]
        assert torch.equal(first[:, kept[0], kept[1]], then[:, seen[0], seen[1]])


def test_one_frame_alone_is_shown_alike_for_every_motion():
    frames = config(noise=0, n_test=16_000).build(0)
    views = frames.views("test", torch.arange(16_000), None)[:, :, 0]
    motion, picture = frames.tasks["motion"][frames.labels["test"]], frames.tasks["picture"][frames.labels["test"]]
    for eye in range(2):
        brightness = views[:, eye].mean((1, 2))
        for shown in range(len(SHOWN)):
            means = torch.stack([brightness[(motion == m) & (picture == shown)].mean() for m in range(4)])
            error = brightness[picture == shown].std() / 1000**0.5
            assert (means.max() - means.min()) < 5 * error


def test_no_pixel_is_both_learned_and_tested():
    frames = config(noise=0).build(0)
    reach = frames.config.size + frames.config.step
    for picture in range(len(SHOWN)):
        last = frames._first["train"][picture, 1] + frames._places["train"][picture, 1] - 1
        border = round(0.7 * photograph(SHOWN[picture]).shape[1])
        assert last + reach <= border <= frames._first["test"][picture, 1] - frames.config.step


@pytest.mark.parametrize(("fresh", "place", "noise"), [("scenes", True, True), ("noise", False, True), ("none", 0, 0)])
def test_what_is_new_at_each_presentation(fresh: str, place: bool, noise: bool):
    def twice(**more) -> tuple[torch.Tensor, torch.Tensor]:
        frames = config(fresh=fresh, **more).build(0)
        generator = stream(0, "test")
        first, again = (frames.views("train", torch.arange(64), generator) for _ in range(2))
        return first, again

    assert torch.equal(*twice(noise=0)) != bool(place)
    assert torch.equal(*twice()) != bool(place or noise)


def test_seeds_classes_and_tests_are_what_they_are_for_every_stimulus():
    frames = config().build(0)
    assert frames.n_classes == 16 and frames.chance["motion"] == frames.chance["picture"] == 0.25
    assert torch.bincount(frames.labels["train"], minlength=16).tolist() == [4] * 16
    tested = frames.views("test", torch.arange(9), None)
    assert torch.equal(tested, config().build(0).views("test", torch.arange(9), None))
    assert not torch.equal(tested, config().build(1).views("test", torch.arange(9), None))
    with pytest.raises(BadInput, match="window of 128 pixels that drifts by 16 does not fit into the test part"):
        config(size=128, step=16).build(0)


def made(classes: float, rebuilding: float, learned: float = 0.9):
    """Return a study in which unrelated frames cost so much with each objective, whatever dose and rate."""
    conditions: dict[str, Made] = {"classes-fast-late": Made(accuracy=learned)}
    for arm, cost in (("classes", classes), ("rebuilding", rebuilding)):
        for rate in ("fast", "slow"):
            conditions[f"{arm}-{rate}"] = Made(accuracy=learned)
            for dose in (5, 8):
                conditions[f"{arm}-{rate}-frames-{dose}"] = Made(accuracy=learned - cost, values={"dose": dose})
    return {"frames": made_study("frames", conditions)}


@pytest.mark.parametrize(
    ("study", "verdict"),
    [
        (made(0.3, 0.0), "holds"),
        (made(0.0, 0.0), "does not hold"),
        (made(0.3, 0.3), "does not hold"),
        (made(0.3, 0.0, learned=0.6), "does not hold"),
    ],
)
def test_unrelated_frames_must_cost_while_classes_are_learned_only(study, verdict, tmp_path):
    (claim,) = CLAIMS
    assert claim.judge(study).verdict == verdict
    assert_draws(claim, study, tmp_path)


def test_a_difference_that_is_one_of_dose_and_rate_kills_the_claim():
    (claim,) = CLAIMS
    study = made(0.3, 0.0)["frames"]
    dose = made(0.3, 0.3)["frames"]
    swapped = [c if c.name != "rebuilding-fast-frames-5" else dose.condition(c.name) for c in study.conditions]
    found = claim.judge({"frames": type(study)(study.attributes, tuple(swapped))})
    assert found.verdict == "does not hold"
    assert {row.verdict for row in found.evidence if row.role == "test"} == {"holds"}, "as the paper has it, it holds"


def test_both_arms_go_with_both_doses_and_both_rates():
    protocol = protocols.load_protocol("kleinman-2023-frames")
    conditions = {c.name: c.epoch_conditions() for c in protocol.resolved_conditions()}
    assert {len(epochs) for epochs in conditions.values()} == {50}
    for arm in ("classes", "rebuilding"):
        for rate, first in (("fast", 0.05), ("slow", 0.005)):
            for name in (f"{arm}-{rate}", f"{arm}-{rate}-frames-5", f"{arm}-{rate}-frames-8"):
                rates = [epoch.learning_rate for epoch in conditions[name]]
                assert rates[0] == first and rates[30:] == [e.learning_rate for e in conditions["classes-fast"]][30:]
                dissociated = sum(bool(epoch.deficits) for epoch in conditions[name])
                assert dissociated == (int(name[-1]) if name[-1].isdigit() else 0)
    assert np.flatnonzero([bool(e.deficits) for e in conditions["classes-fast-late"]]).tolist() == [25, 26, 27, 28, 29]
