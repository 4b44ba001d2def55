"""From studies after Achille, Rovere & Soatto (2019) to findings; the criteria are those of `achille_2019`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from binocular.compare.reading import read_table, shipped_folder
from binocular.papers.claims import Evidence, Finding
from binocular.papers.numbers import condition_of, judged, mean_of
from binocular.papers.settled import combined, losses, settled
from binocular.store.study import Study

__all__ = [
    "fisher_traces",
    "judge_fisher",
    "judge_harmless",
    "judge_noise",
    "judge_removal",
    "judge_two_eyed",
    "judge_window",
    "published_accuracy",
    "sensitivity",
    "windows",
]

LOSS, RISE, FALL = 3.0, 2.0, 0.75
_SYSTEM = "CIFAR-10 network, blur"


@cache
def published_accuracy() -> Mapping[int, float]:
    """Return published accuracy in per cent by the epoch in which the blur ended (Fig. 1)."""
    rows = [line.row for line in read_table(shipped_folder() / "acuity_recovery.csv")]
    return {int(row.deficit_end): row.performance for row in rows if row.system == _SYSTEM}


def windows(study: Study) -> tuple[dict[int, dict[int, float]], int]:
    """Return the points lost by onset of the blur and by seed, ``{onset: {seed: points}}``, and the blur's length."""
    normal = condition_of(study, "normal")
    found, length = {}, 0
    for condition in study.reared:
        if "onset" in condition.values:
            found[int(condition.values["onset"])] = losses(normal, condition)
            deficit = next(phase for phase in condition.subjects[0].phases if phase["deficits"])
            length = deficit["stop"] - deficit["start"]
    return dict(sorted(found.items())), length


def fisher_traces(study: Study) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """Return epochs ``[epoch]`` and, by seed, the trace of the Fisher information of all weights there, in nat^2."""
    found: dict[int, dict[int, float]] = {}
    for condition in study.reared:
        for subject in condition.subjects:
            record = next(record for (probe, _), record in subject.measures.items() if probe == "fisher")
            for epoch, parts in zip(record.epoch, record.values["fisher_trace"], strict=True):
                found.setdefault(subject.seed, {})[int(epoch)] = float(np.nansum(parts))
    epochs = sorted(set.intersection(*(set(traces) for traces in found.values())))
    return np.array(epochs), {seed: np.array([traces[e] for e in epochs]) for seed, traces in found.items()}


def sensitivity(study: Study, fisher: Study) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Return for each seed the mean logarithm of the information during each window and the loss by that window.

    Returns
    -------
    dict
        ``(information [onset], loss [onset])`` by seed; information is log10 of the trace of an undisturbed subject,
        interpolated between the epochs at which it was measured.
    """
    by_onset, length = windows(study)
    epochs, traces = fisher_traces(fisher)
    found = {}
    for seed in sorted(set.intersection(set(traces), *(set(loss) for loss in by_onset.values()))):
        curve = np.log10(traces[seed])
        during = [np.interp(np.arange(onset, onset + length + 1), epochs, curve).mean() for onset in by_onset]
        found[seed] = np.array(during), np.array([loss[seed] for loss in by_onset.values()])
    return found


def _removal_rows(study: Study, constant: bool) -> list[Evidence]:
    ends = sorted(int(c.values["removal"]) for c in study.reared if c.name.startswith("blurred-"))
    published = published_accuracy()
    first, last = published[min(published)], published[max(published)]
    conditions = {end: condition_of(study, f"blurred-{end}") for end in ends}
    lost = {end: losses(conditions[0], condition) for end, condition in conditions.items()}
    longest, shortest = ends[-1], ends[1]
    long = condition_of(study, "sharp-long")
    rows = [
        Evidence(
            f"accuracy lost by the longest blur ({longest} epochs), points", f"{first - last:.1f} (Fig. 1)",
            mean_of(lost[longest]), at_least=LOSS, digits=1,
        ),
        Evidence(
            f"further loss from the shortest blur ({shortest} epochs) to the longest, points",
            f"{published[20] - last:.1f} (Fig. 1)",
            mean_of(combined([(1, lost[longest]), (-1, lost[shortest])])), at_least=0, digits=1,
        ),
        Evidence(
            "loss by the longest blur compared with sharp subjects reared as long, points", "",
            mean_of(losses(long, conditions[longest])), "control", at_least=LOSS, digits=1,
        ),
    ]  # fmt: skip
    if constant:
        sharp, blurred = condition_of(study, "constant-0"), condition_of(study, f"constant-{longest}")
        rows.append(
            Evidence(
                "loss by the longest blur at a constant learning rate, points", "present (Fig. 3)",
                mean_of(losses(sharp, blurred)), "control", at_least=0, digits=1,
            )
        )  # fmt: skip
    for end, condition in conditions.items():
        nearest = min(published, key=lambda at: abs(at / max(published) - end / longest))
        said = f"{published[nearest]:.1f} at {nearest}"
        rows.append(
            Evidence(f"accuracy, blurred to epoch {end}, %", said, mean_of(settled(condition)), "context", digits=1)
        )
    return rows


def _window_rows(study: Study, each: bool) -> list[Evidence]:
    by_onset, length = windows(study)
    onsets = list(by_onset)
    early = combined([(0.5, by_onset[onsets[0]]), (0.5, by_onset[onsets[1]])])
    late = by_onset[onsets[-1]]
    when = f"from epoch {onsets[0]} or {onsets[1]}"
    rows = [
        Evidence(
            f"accuracy lost by {length} blurred epochs {when}, points", "largest early (Fig. 1)", mean_of(early),
            at_least=0, digits=1,
        ),
        Evidence(
            f"less lost by the same blur from epoch {onsets[-1]} than early, points", "fades (Fig. 1)",
            mean_of(combined([(1, early), (-1, late)])), at_least=0, digits=1,
        ),
        Evidence(
            f"loss from epoch {onsets[-1]} beyond half of the early loss, points", "almost none (Fig. 1)",
            mean_of(combined([(1, late), (-0.5, early)])), at_most=0, digits=1,
        ),
    ]  # fmt: skip
    if each:
        rows += [
            Evidence(f"accuracy lost by the blur from epoch {onset}, points", "", mean_of(loss), "context", digits=1)
            for onset, loss in by_onset.items()
        ]
    return rows


def _harmless_rows(study: Study) -> list[Evidence]:
    normal, long = condition_of(study, "normal"), condition_of(study, "normal-long")
    blurred = losses(normal, condition_of(study, "blurred"))
    rows = []
    for name, words in (("upside-down", "images upside down"), ("permuted", "labels permuted")):
        lost = losses(normal, condition_of(study, name))
        rows += [
            Evidence(
                f"less lost by {words} than by the blur, points", "", mean_of(combined([(1, blurred), (-1, lost)])),
                at_least=0, digits=1,
            ),
            Evidence(
                f"loss by {words} beyond half of that by the blur, points", "flat (Fig. 2)",
                mean_of(combined([(1, lost), (-0.5, blurred)])), at_most=0, digits=1,
            ),
        ]  # fmt: skip
    sham = losses(long, condition_of(study, "sham"))
    rows += [
        Evidence(
            "accuracy lost by a sham deficit, points", "", mean_of(sham), "control", -0.001, 0.001, digits=3
        ),
        Evidence(
            "accuracy lost by the blur, points", "", mean_of(blurred), "control", at_least=0, digits=1
        ),
    ]  # fmt: skip
    for name, words in (
        ("blurred", "the blur"),
        ("upside-down", "images upside down"),
        ("permuted", "labels permuted"),
    ):
        lost = losses(long, condition_of(study, name))
        what = f"accuracy lost by {words} compared with undisturbed subjects reared as long, points"
        rows.append(Evidence(what, "", mean_of(lost), "context", digits=1))
    return rows


def _fisher_rows(study: Study, window: Study) -> list[Evidence]:
    epochs, traces = fisher_traces(study)
    curves = {seed: np.log2(trace) for seed, trace in traces.items()}
    rise, fall, peaks = {}, {}, {}
    for seed, curve in curves.items():
        others = [other for name, other in curves.items() if name != seed] or [curve]
        peak = int(np.argmax(np.mean(others, axis=0)))
        rise[seed], fall[seed] = float(curve[peak] - curve[0]), float(curve[-1] - curve[peak])
        peaks[seed] = float(epochs[peak])
    follows = {}
    for seed, (information, loss) in sensitivity(window, study).items():
        follows[seed] = _rank_correlation(information, loss)
    return [
        Evidence(
            "rise of the information from the untrained network to its peak, octaves", "rises (Fig. 4)", mean_of(rise),
            at_least=float(np.log2(RISE)),
        ),
        Evidence(
            "change of the information from its peak to the end, octaves", "falls (Fig. 4)", mean_of(fall),
            at_most=float(np.log2(FALL)),
        ),
        Evidence(
            "rank correlation over windows of the loss with the information during the window", "strong (Fig. 4)",
            mean_of(follows), at_least=0,
        ),
        Evidence("epoch of the peak", "", mean_of(peaks), "context", digits=0),
    ]  # fmt: skip


def _rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    from scipy.stats import rankdata

    one, other = rankdata(first), rankdata(second)
    return float(np.corrcoef(one, other)[0, 1]) if one.std() > 0 and other.std() > 0 else float("nan")


def judge_removal(had: Mapping[str, Any]) -> Finding:
    """Judge Fig. 1: accuracy by the epoch in which the blur ends."""
    return judged("a19-1-removal", _removal_rows(had["removal-one"], constant=True))


def judge_window(had: Mapping[str, Any]) -> Finding:
    """Judge Fig. 1: what a blur of fixed length costs, by its onset."""
    return judged("a19-2-window", _window_rows(had["window-one"], each=True))


def judge_harmless(had: Mapping[str, Any]) -> Finding:
    """Judge Fig. 2: deficits that leave low-level statistics alone."""
    return judged("a19-3-harmless", _harmless_rows(had["controls-one"]))


def judge_noise(had: Mapping[str, Any]) -> Finding:
    """Judge Fig. 2: noise in place of images."""
    study = had["controls-one"]
    normal = condition_of(study, "normal")
    noise, blurred = (losses(normal, condition_of(study, name)) for name in ("noise", "blurred"))
    rows = [
        Evidence("accuracy lost by only noise, points", "present (Fig. 2)", mean_of(noise), at_least=0, digits=1),
        Evidence(
            "less lost by noise than by the blur, points", "less (Fig. 2)",
            mean_of(combined([(1, blurred), (-1, noise)])), at_least=0, digits=1,
        ),
    ]  # fmt: skip
    return judged("a19-4-noise", rows)


def judge_fisher(had: Mapping[str, Any]) -> Finding:
    """Judge Fig. 4: the Fisher information of undisturbed subjects, and the sensitivity beside it."""
    return judged("a19-5-fisher", _fisher_rows(had["fisher-one"], had["window-one"]))


def judge_two_eyed(had: Mapping[str, Any]) -> Finding:
    """Judge everything again in networks with two eyes that share each deficit."""
    rows = [
        *_removal_rows(had["removal-two"], constant=True),
        *_window_rows(had["window-two"], each=False),
        *_harmless_rows(had["controls-two"]),
        *_fisher_rows(had["fisher-two"], had["window-two"]),
    ]
    decide = [row for row in rows if row.role != "context"]
    return judged("a19-6-two-eyed", decide)
