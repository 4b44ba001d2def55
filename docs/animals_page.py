"""Keeps what the rearing histories gave in a small file, and draws the tables of 'Networks and animals' from it.

``python docs/animals_page.py results/animal-histories [more] --after results/monocular-deprivation [more]`` compares
studies with the published numbers, each row at the time at which its animals were recorded, and writes
``data/results/animal-histories.json``; of those after ``--after`` it keeps how far units had turned from the opening of
an eye on. Without an argument the tables of docs/networks-and-animals.md are drawn anew from that file. A test fails
while they are not what the file says. Where several studies have a condition of the treatment, the first one that is
named counts.
"""

from __future__ import annotations

import json
import math
import re
import shlex
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs"))

import declared_studies  # noqa: E402
from declared_studies import about, table  # noqa: E402

RESULTS = ROOT / "data" / "results" / "animal-histories.json"
HISTORIES = ROOT / "protocols" / "library" / "animal-histories.toml"
PAGE = ROOT / "docs" / "networks-and-animals.md"
FIRST, LAST = "first_binocular", "representation"
_MARK = re.compile(r"<!-- results: (\w+) -->\n.*?<!-- end -->", re.S)
_NOT_HERE = "not in this study"
_CLOSED = 12
"""Epochs that an eye was closed at least, where units are followed after the opening."""
_OUT_OF_REACH = 0.7
"""Share of depths told right in the scenes of rearing below which a threshold at three quarters is out of reach: of
1,000 scenes, so that even the upper end of its interval (0.03 above) lies below. No scene of the probe is easier."""


def take(folders: list[Path]) -> dict[str, Any]:
    """Return what the page needs of some studies, as plain data."""
    from binocular.compare import compare_study
    from binocular.store.study import load_study

    found: dict[str, Any] = {key: [] for key in ("studies", "histograms", "conditions", "disparity", "after")}
    found["facts"] = {}
    for folder in folders:
        study = load_study(folder)
        seeds = sorted({subject.seed for condition in study.conditions for subject in condition.subjects})
        found["studies"].append({"title": study.title, "seeds": seeds, "n": len(study.reared), **about(study)})
        comparison = compare_study(study)
        for fact in comparison.facts:
            known = found["facts"].get(fact.test.id)
            if known is None or known["first"] == _NOT_HERE:
                found["facts"][fact.test.id] = _fact(fact)
        there = {one["condition"] for one in found["conditions"]}
        new = [condition for condition in study.reared if condition.name not in there]
        papers = _papers()
        found["conditions"] += [_condition(condition) for condition in new]
        names = {condition.name for condition in new}
        found["histograms"] += [
            _histogram(one, comparison.literature, papers.get(one.sample.name, ""))
            for one in _beside(comparison.histograms)
            if one.sample.name in names
        ]
        found["disparity"] += [kept for condition in new if (kept := _disparity(condition))]
    found["facts"] = list(found["facts"].values())
    return found


def followed(study: Any) -> list[dict[str, Any]]:
    """Return the median RSV of subjects from the opening of an eye closed first on; 1 is the eye that was open."""
    import numpy as np

    from binocular.compare.samples import treatment_of
    from binocular.store.statistics import interval

    rows = []
    for condition in study.reared:
        done = treatment_of(condition)
        if done.name != "one eye closed" or done.start != 0 or done.duration < _CLOSED or done.epochs <= done.stop:
            continue
        turned = 1 if done.deprived_eye == "right" else -1
        medians: dict[str, dict[str, list[float | None]]] = {}
        for site, record in condition.subjects[0].sites.items():
            for index, epoch in enumerate(record.epoch.tolist() if site in (FIRST, LAST) else ()):
                if epoch >= done.stop:
                    values = [turned * np.nanmedian(one.sites[site].values["rsv"][index]) for one in condition.subjects]
                    medians.setdefault(str(epoch - done.stop), {})[site] = _numbers(interval(values))
        command = re.sub(r" --(out|timings) \S+| --quiet", "", str(study.attributes.get("command", "")))
        rows.append({"command": command, "label": condition.label, "n": len(condition.subjects), "after": medians})
    return rows


def _numbers(found: Any) -> list[float | None]:
    """Return mean and interval, None for what is not known."""
    values = [float(value) for value in (found.mean, found.low, found.high)]
    return [round(value, 4) if math.isfinite(value) else None for value in values]


def _fact(fact: Any) -> dict[str, Any]:
    one = fact.tested[0] if fact.tested else None
    return {
        "claim": fact.test.claim,
        "published": fact.published,
        "evidence": fact.evidence,
        "reference": fact.reference,
        "measure": fact.test.measure,
        "criterion": fact.test.criterion(),
        "ours": _numbers(one.estimate) if one else None,
        "subjects": one.subjects if one else 0,
        "label": one.label if one else "",
        "also": [[other.label, *_numbers(other.estimate), other.verdict] for other in fact.tested[1:]],
        "first": fact.verdict,
        "last": fact.elsewhere.get(LAST, ""),
        "moments": dict(fact.moments),
        "why": fact.why,
    }


def _beside(histograms: Any) -> list[Any]:
    """Return the animals beside each history: those treated alike, and others to whom the same was done as to them."""
    animals = [one for one in histograms if not one.record.is_network]
    like = [(one.sample.name, one.record) for one in animals if one.like]
    return [
        one
        for one in animals
        if one.like or any(name == one.sample.name and record.twin_of(one.record) for name, record in like)
    ]


def _papers() -> dict[str, str]:
    """Return, by condition, the reference of the protocol from which `HISTORIES` includes it."""
    from binocular.protocols import load_protocol

    included = [load_protocol(name) for name in tomllib.loads(HISTORIES.read_text(encoding="utf-8"))["include"]]
    return {one.name: protocol.reference for protocol in included for one in protocol.resolved_conditions()}


def _histogram(one: Any, literature: Any, paper: str) -> dict[str, Any]:
    from binocular.compare.histograms import unlike

    opening = next((mark for mark in one.marks if mark.epoch == one.sample.treatment.stop), one.sample)
    return {
        "id": one.record.id,
        "condition": one.sample.name,
        "shares": {
            "animal": one.record.shares.round(4).tolist(),
            "ours": one.sample.shares.round(4).tolist(),
            "opening": opening.shares.round(4).tolist(),
        },
        "ends": {name: _ends(estimates) for name, estimates in (("animal", one.theirs), ("ours", one.ours))},
        "unlike": unlike(one.sample.treatment, one.record, literature),
        "same_paper": _named_paper(one.record.reference) in paper,
        "subjects": len(one.sample.counted),
        "record": one.record.name,
        "cells": one.record.cells,
        "evidence": one.record.evidence,
        "reference": one.record.reference,
        "label": one.sample.label,
        "epoch": one.sample.epoch,
        "after": one.sample.epoch - (one.sample.treatment.stop or 0),
        "theirs": _numbers(one.theirs["cbi"]),
        "ours": _numbers(one.ours["cbi"]),
        "distance": _numbers(one.test.distance),
        "twins": [round(value, 2) for value in one.twins],
        "first": one.verdict,
        "last": one.elsewhere[LAST].verdict if LAST in one.elsewhere else "",
    }


def _ends(estimates: Any) -> list[list[float | None]]:
    """Return the lower and the upper end of the interval of each group's share, ``[2][7]``."""
    pairs = [_numbers(estimates[f"group {group}"])[1:] for group in range(1, 8)]
    return [list(ends) for ends in zip(*pairs, strict=True)]


def _named_paper(reference: str) -> str:
    """Return authors and year of a reference, by which a protocol names it too."""
    found = re.match(r".*?\d{4}", reference)
    return found[0] if found else reference


def _thresholds(condition: Any) -> dict[str, list[float | str | None]]:
    """Return each subject's thresholds of stereopsis.

    A threshold is a number; ``"<0.05"`` where it is below the lowest level; ``"none"`` where there is none, as in
    subjects that did not tell depth in the scenes of rearing; None where it was not measured.
    """
    from binocular.compare.samples import accuracies
    from binocular.probes.base import NETWORK

    found: dict[str, list[float | str | None]] = {"correlation": [], "disparity": []}
    for subject, depth in zip(condition.subjects, accuracies(condition, "stereopsis"), strict=True):
        record = subject.measures.get(("stereo-threshold", NETWORK))
        for vary, values in found.items():
            if record is None:
                values.append("none" if depth < _OUT_OF_REACH else None)
                continue
            censored = int(record.values[f"{vary}_censored"][-1])
            level = round(float(record.values[f"{vary}_threshold"][-1]), 3)
            values.append({-1: "none", 0: level, 1: f"<{level:g}"}[censored])
    return found


def _condition(condition: Any) -> dict[str, Any]:
    import numpy as np

    from binocular.compare.samples import sample_of, seen_alone, treatment_of
    from binocular.dominance import contralateral_bias
    from binocular.store.statistics import interval

    treatment = treatment_of(condition)

    def bias(epoch: int | None) -> list[float | None]:
        sample = sample_of(condition, FIRST, epoch, treatment.deprived_eye)
        return _numbers(interval([float(contralateral_bias(row / row.sum())) for row in sample.counted]))

    last = sample_of(condition, FIRST, None, treatment.deprived_eye)
    eye = condition.treated_eye
    other = {"left": "right", "right": "left"}[eye]
    return {
        "condition": condition.name,
        "label": condition.label,
        "subjects": len(condition.subjects),
        "treatment": treatment.name,
        "epochs": treatment.epochs,
        "start": treatment.start,
        "stop": treatment.stop,
        "groups": np.nan_to_num(last.shares).round(4).tolist(),
        "opening": bias(treatment.stop),
        "end": bias(None),
        **({"stopped": stopped(condition)} if treatment.name in _OF_THE_OTHER_EYE else {}),
        "binocular": _numbers(interval([float(row[1:6].sum() / row.sum()) for row in last.counted])),
        "stereopsis": _numbers(condition.vision_at_end("stereopsis")),
        "thresholds": _thresholds(condition),
        "treated": _numbers(interval(seen_alone(condition, eye))),
        "fellow": _numbers(interval(seen_alone(condition, other))),
    }


_OF_THE_OTHER_EYE = ("reverse suture", "fellow eye inactivated")


def stopped(condition: Any, site: str = FIRST) -> list[int | None]:
    """Return after how many epochs of treatment the median first cell no longer preferred the other eye, by subject."""
    import numpy as np

    from binocular.compare.samples import treatment_of

    treatment = treatment_of(condition)
    turned = 1 if treatment.deprived_eye == "right" else -1
    found = []
    for subject in condition.subjects:
        record = subject.sites[site]
        reached = [
            int(epoch) - treatment.start
            for epoch, rsv in zip(record.epoch, record.values["rsv"], strict=True)
            if treatment.start < epoch <= treatment.stop and turned * np.nanmedian(rsv) <= 0
        ]
        found.append(min(reached, default=None))
    return found


def _disparity(condition: Any) -> dict[str, Any] | None:
    """Return how well the first cells tell disparity beside their dominance, if both were measured."""
    from binocular.compare.measured import disparity_by_unit, disparity_correlations
    from binocular.store.statistics import interval

    pairs = [disparity_by_unit(subject, FIRST) for subject in condition.subjects]
    if not pairs or any(pair is None for pair in pairs):
        return None
    selective = [float(one.measures["disparity", FIRST].values["selective_share"][-1]) for one in condition.subjects]
    return {
        "condition": condition.name,
        "correlations": disparity_correlations(condition, FIRST).round(4).tolist(),
        "correlation": _numbers(interval(disparity_correlations(condition, FIRST))),
        "selective": _numbers(interval(selective)),
        "cells": [[list(map(_plain, index)), list(map(_plain, rsv))] for index, rsv in pairs],
    }


def _plain(value: Any) -> float | None:
    return round(float(value), 3) if math.isfinite(value) else None


def _text(numbers: list[float | None] | None) -> str:
    if not numbers or numbers[0] is None:
        return "–"
    mean, low, high = numbers
    interval = "" if low is None or high is None else f" [{low:.2f}, {high:.2f}]"
    return f"{mean:.2f}{interval}".replace("-", "−")


def facts_table(found: dict[str, Any]) -> str:
    """Return one row per fact that could be tested."""
    rows = []
    for fact in found["facts"]:
        if fact["ours"] is None:
            continue
        own = {"deficit": "at its end", "end": "at the end of rearing"}
        other = [
            f"{own[at]}: {verdict}"
            for at, verdict in fact["moments"].items()
            if verdict not in (fact["first"], _NOT_HERE)
        ]
        first = "<br>".join([f"**{fact['first']}**", *other])
        published = f"{fact['published']} ({fact['evidence']}; {fact['reference']})"
        ours = f"{fact['measure']} {_text(fact['ours'])}, n = {fact['subjects']}: {fact['label']}"
        rows.append([fact["claim"], published, ours, first, fact["last"] or "–"])
    return table(["history and claim", "animal", "network, first cells", "first cells", "last layer"], rows)


def histograms_table(found: dict[str, Any]) -> str:
    """Return one row per published histogram and the subjects to whom the same was done; say which are left out."""
    rows, left_out = [], []
    for one in found["histograms"]:
        if one["unlike"] and not one["same_paper"]:
            left_out.append(f"{one['label']} beside {one['record']} ({one['unlike']})")
            continue
        animal = f"{one['record']} ({one['cells']} cells, {one['evidence']}; {one['reference']})"
        when = f"{one['label']}, {one['after']} epochs after it" if one["after"] > 0 else f"{one['label']}, at its end"
        when += f" (n = {one['subjects']})"
        distance = _text(one["distance"]) + (f"; two animals: {one['twins'][0]:.1f}" if one["twins"] else "")
        paper = "its own" if one["same_paper"] else "another"
        verdicts = [one["first"], one["last"] or "–"]
        rows.append([animal, when, paper, _text(one["theirs"]), _text(one["ours"]), distance, *verdicts])
    head = ["animal", "network", "history after", "CBI, animal", "CBI, first cells", "W₁", "first cells", "last layer"]
    drawn = table(head, rows)
    return drawn + (f"\n\nLeft out by that rule: {'; '.join(dict.fromkeys(left_out))}." if left_out else "")


def conditions_table(found: dict[str, Any]) -> str:
    """Return one row per history: what the first cells came to."""
    rows = [
        [
            one["label"],
            str(one["subjects"]),
            " ".join(f"{share:.2f}".removeprefix("0") for share in one["groups"]),
            _text(one["opening"]) if one["stop"] not in (None, one["epochs"]) else "–",
            _text(one["end"]),
        ]
        for one in found["conditions"]
    ]
    return table(["history", "n", "groups 1–7 at the end", "CBI where the deficit ended", "CBI at the end"], rows)


def vision_table(found: dict[str, Any]) -> str:
    """Return one row per history: what each eye tells alone, and stereopsis with its thresholds."""
    rows = [
        [
            one["label"],
            str(one["subjects"]),
            *(_text(one[name]) for name in ("treated", "fellow", "stereopsis")),
            *(threshold_text(one["thresholds"][vary]) for vary in ("correlation", "disparity")),
        ]
        for one in found["conditions"]
    ]
    head = ["history", "n", "eye closed first alone", "other eye alone", "near from far"]
    return table([*head, "least correlation of the eyes", "least disparity (pixels)"], rows)


def threshold_text(values: list[float | str | None]) -> str:
    """Return the thresholds of some subjects in words: with an interval where each has one, else how many have none."""
    from binocular.store.statistics import interval

    unknown = values.count(None)
    if unknown == len(values):
        return "–"
    told = [value for value in values if isinstance(value, float)]
    below = [value for value in values if isinstance(value, str) and value.startswith("<")]
    lacking = values.count("none")
    if len(told) == len(values):
        return _text(_numbers(interval(told)))
    parts = [f"{min(told):.2f} to {max(told):.2f} in {len(told)}"] if len(told) > 1 else []
    parts += [f"{told[0]:.2f} in 1"] if len(told) == 1 else []
    parts += [f"{below[0]} in {len(below)}"] if below else []
    if lacking:
        parts.append(f"none in {lacking}")
    if unknown:
        parts.append(f"not measured in {unknown}")
    return "none" if lacking == len(values) else ", ".join(parts)


def count(found: dict[str, Any]) -> str:
    """Return how many facts hold, do not and are open, at the first cells and at the last layer."""
    tested = [fact for fact in found["facts"] if fact["ours"] is not None]
    lines = []
    for key, words in (("first", "first binocular cells"), ("last", "last layer")):
        verdicts = [fact[key] for fact in tested if fact[key]]
        parts = [f"{verdicts.count(name)} {words}" for name, words in _COUNTED.items()]
        lines.append(f"- At the {words}: of {len(verdicts)} facts {', '.join(parts)}.")
    for name in ("does not hold", "undecided"):
        failing = [f"{fact['claim']} ({_text(fact['ours'])})" for fact in tested if fact["first"] == name]
        if failing:
            lines.append(f"- At the first cells **{_COUNTED[name]}**: {'; '.join(failing)}.")
    return "\n".join(lines)


_COUNTED = {"holds": "hold", "does not hold": "do not hold", "undecided": "are undecided"}


def provenance(found: dict[str, Any]) -> str:
    """Return what was run, when and with which versions."""
    lines = []
    for study in found["studies"]:
        versions = json.loads(study["versions"])
        lines.append(
            f"- {study['title']} ({study['n']} histories): `{study['command']}`, {study['finished'][:10]}, "
            f"{study['device']}, binocular {versions['binocular-lab']}, torch {versions['torch']}."
        )
    return "\n".join(lines)


def after_table(found: dict[str, Any]) -> str:
    """Return how far units had turned when the eye opened, and later, one row per study and condition."""
    times = ("0", "12", "36")
    rows = [
        [
            f"{one['label']}: `{shlex.join(shlex.split(one['command'])[2:])}`".replace("'\"'\"'", ""),
            str(one["n"]),
            *(" / ".join(_text(one["after"].get(at, {}).get(site)) for site in (FIRST, LAST)) for at in times),
        ]
        for one in found["after"]
    ]
    head = ["closed from the beginning", "n", "median RSV at the opening: first cells / last layer"]
    return table([*head, *(f"{at} epochs later" for at in times[1:])], rows)


def stopping_table(found: dict[str, Any]) -> str:
    """Return one row per treatment of the other eye: what its dose gave, and where a rule would have stopped it."""
    rows = []
    for one in found["conditions"]:
        if "stopped" in one:
            stopped = [str(epochs) for epochs in one["stopped"] if epochs is not None]
            told = f"{len(stopped)} of {one['subjects']}" + (f", after {', '.join(stopped)} epochs" if stopped else "")
            dose = one["stop"] - one["start"]
            later = one["epochs"] - one["stop"]
            rows.append([one["label"], str(dose), _text(one["opening"]), _text(one["end"]) if later else "–", told])
    head = ["treatment of the other eye", "epochs", "CBI at its end", "CBI 8 epochs after it"]
    return table([*head, "subjects that the rule would have stopped"], rows)


TABLES = {
    "stopping": stopping_table,
    "after": after_table,
    "facts": facts_table,
    "histograms": histograms_table,
    "conditions": conditions_table,
    "vision": vision_table,
    "count": count,
    "provenance": provenance,
    **declared_studies.TABLES,
}


def filled(text: str, found: dict[str, Any]) -> str:
    """Return a page with its tables drawn anew."""
    return _MARK.sub(lambda mark: f"<!-- results: {mark[1]} -->\n{TABLES[mark[1]](found)}\n<!-- end -->", text)


if __name__ == "__main__":
    if sys.argv[1:]:
        from binocular.store.study import load_study

        named, _, later = " ".join(sys.argv[1:]).partition("--after")
        taken = take([Path(folder) for folder in named.split()])
        taken["after"] = [row for folder in later.split() for row in followed(load_study(folder))]
        RESULTS.write_text(json.dumps(taken, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    stored = json.loads(RESULTS.read_text(encoding="utf-8"))
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), stored), encoding="utf-8")
