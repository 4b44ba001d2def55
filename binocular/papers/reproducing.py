"""Obtaining what the claims of a paper need, once each, and judging them.

What is done is on the disk before the next thing is begun: studies keep their own state, and each need's time is noted
as soon as it is had. So a run that was killed is taken up by the same command, and loses at most a few seconds.
"""

from __future__ import annotations

import datetime
import json
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from binocular.papers.claims import Claim, Finding, Need, Scale
from binocular.papers.looks import Course, Looks
from binocular.papers.needs import StudyNeed
from binocular.papers.registry import Paper
from binocular.report.figures.style import style
from binocular.runs.planning import usable_device
from binocular.runs.running import device_name, versions
from binocular.stimuli.errors import BadInput, CannotRead, CannotWrite
from binocular.stimuli.surroundings import own_settings
from binocular.store.folder import folder_lock
from binocular.store.opening import opened
from binocular.store.sealing import atomic_write
from binocular.store.study import Study
from binocular.store.tables import read_table, subgroup

__all__ = ["Origin", "Reproduction", "Result", "reproduce"]

_SPENT = "spent.json"


@dataclass(frozen=True)
class Origin:
    """How a need was had.

    Attributes
    ----------
    key, title, command
        Its key, what it is in words, and the command that makes the same study by itself; empty for a computation.
    device, finished, versions
        What it was reared or computed on; when, ISO 8601 (of a study, when its file was written); and the software.
    seconds
        Spent on rearing, summed over subjects, of a study; else on the computation.
    nodes
        Seconds of each history reared, by its identity, so that histories that studies share are counted once.
    deviations
        Of the study's protocol from the publication.
    seeds
        How many a study has in its file, which may be more than were asked for.
    """

    key: str
    title: str
    command: str = ""
    device: str = ""
    finished: str = ""
    seconds: float = math.nan
    nodes: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    deviations: tuple[str, ...] = ()
    seeds: int = 0


@dataclass(frozen=True)
class Result:
    """A claim, what was found, from what, and its figure; ``fault`` tells an error that is not the claim's.

    ``course`` is how far it has been looked at, where it is looked at again after more seeds.
    """

    claim: Claim
    finding: Finding
    needs: tuple[str, ...] = ()
    figure: Figure | None = None
    fault: str = ""
    course: Course | None = None


@dataclass(frozen=True)
class Reproduction:
    """The claims of a paper as they were found at one scale.

    Attributes
    ----------
    results
        One per claim, in order.
    origins
        How each need was had, by key.
    command, device, began, finished, seconds, versions
        Of this run: the command line, what it ran on, when (ISO 8601), its wall-clock time, and the software.
    """

    paper: Paper
    scale: Scale
    results: tuple[Result, ...]
    origins: Mapping[str, Origin]
    command: str
    device: str
    began: str
    finished: str
    seconds: float
    versions: Mapping[str, str]

    @property
    def faults(self) -> tuple[str, ...]:
        """What went wrong, one sentence per claim; a claim that does not hold is no fault."""
        return tuple(f"{result.claim.id}: {result.fault}" for result in self.results if result.fault)

    @property
    def spent(self) -> float:
        """Seconds spent on everything the claims rest on, in this run or an earlier one, as far as it is known."""
        nodes = {identity: seconds for origin in self.origins.values() for identity, seconds in origin.nodes.items()}
        other = [origin.seconds for origin in self.origins.values() if not origin.nodes]
        return sum(nodes.values()) + sum(seconds for seconds in other if not math.isnan(seconds))


@own_settings()
def reproduce(
    paper: Paper,
    claims: Sequence[Claim],
    folder: Path | str,
    scale: Scale = "lab",
    device: str = "auto",
    quiet: bool = True,
    command: str = "",
    on_result: Callable[[Result], None] | None = None,
    until: int | None = None,
) -> Reproduction:
    """Obtain what claims need and judge them.

    Parameters
    ----------
    paper, claims
        Whose claims they are, and which ones.
    folder
        Output folder; each need has a folder of its own in it, by its key, and is taken up there.
    scale, device
        ``"lab"`` or ``"paper"``; and ``"auto"``, ``"cpu"`` or ``"cuda"``.
    quiet, command
        Print no progress of rearing; and the command line, for the page.
    on_result
        Told each result as soon as it is there.
    until
        Most seeds to look at where looks are declared; a later call without it goes on from there.

    Returns
    -------
    Reproduction
        A result for each claim. One whose needs cannot be had on this machine is ``"not run"``; so is one in which
        something failed, and then ``faults`` says what.

    Raises
    ------
    BadInput
        If the folder cannot be used or the device is not there.
    KeyboardInterrupt
        If stopped; what is done is kept.
    """
    folder, began, start = Path(folder), _now(), time.monotonic()
    usable_device(device)
    for claim in claims:
        if scale in claim.looks:
            claim.looks[scale].until(until)
    obtained = _Obtained(folder, device, quiet)
    results = []
    with folder_lock(folder):
        for number, claim in enumerate(claims):
            results.append(_result(claim, scale, obtained, until))
            if on_result is not None:
                on_result(results[-1])
            obtained.forget({need.key for later in claims[number + 1 :] for need in later.needs.get(scale, ())})
    return Reproduction(
        paper, scale, tuple(results), obtained.origins, command, device_name(usable_device(device)), began, _now(),
        time.monotonic() - start, versions(),
    )  # fmt: skip


class _Obtained:
    """Needs by key, and why those that could not be had could not.

    Each is obtained once: of what was had with the seeds of a later look, an earlier one takes its own.
    """

    def __init__(self, folder: Path, device: str, quiet: bool) -> None:
        self._folder, self._device, self._quiet = folder, device, quiet
        self._had: dict[str, tuple[int, Any]] = {}
        self._asked: dict[str, tuple[Need, Looks | None]] = {}
        self._lacking: dict[str, Exception] = {}
        self.origins: dict[str, Origin] = {}

    def __call__(self, need: Need, looks: Looks | None = None, look: int = 0) -> Any:
        """Return what a need gives, at a look with as many seeds as are asked for there."""
        if self._asked.setdefault(need.key, (need, looks)) != (need, looks):
            raise ValueError(f"two different needs are called '{need.key}'")
        if need.key in self._lacking:
            raise self._lacking[need.key]
        wanted, seeds = need, ()
        if looks is not None and isinstance(need, StudyNeed):
            seeds = looks.seeds(look)
            wanted = need.with_seeds(seeds)
        had = self._had.get(need.key)
        if had is None or had[0] < len(seeds):
            start, brought = time.monotonic(), need.key not in self._spent() and (self._folder / need.key).is_dir()
            try:
                self._had[need.key] = had = (len(seeds), wanted.obtain(self._folder, self._device, self._quiet))
            except Exception as error:
                self._lacking[need.key] = error
                raise
            finally:
                # What was put here from elsewhere took a time that is not known.
                self._note(need.key, math.nan if brought else time.monotonic() - start)
            self.origins[need.key] = self._origin(wanted, had[1])
        if isinstance(need, StudyNeed) and had[0] > len(seeds):
            return need.only_seeds(had[1], seeds)
        return had[1]

    def seconds_per_seed(self, keys: Sequence[str]) -> float:
        """Return the time spent on a seed of some studies, histories that they share counted once; NaN if unknown."""
        seconds, counted = math.nan, set[str]()
        for origin in (self.origins[key] for key in keys if key in self.origins):
            if origin.seeds:
                new = sum(spent for node, spent in origin.nodes.items() if node not in counted)
                seconds = new / origin.seeds + (0.0 if math.isnan(seconds) else seconds)
                counted |= set(origin.nodes)
        return seconds

    def forget(self, still_needed: set[str]) -> None:
        """Let go of what no later claim needs."""
        self._had = {key: had for key, had in self._had.items() if key in still_needed}

    def _note(self, key: str, seconds: float) -> None:
        """Add to the time spent on a need, over all runs."""
        spent = self._spent()
        spent[key] = spent.get(key, 0.0) + seconds
        plain = {name: None if math.isnan(value) else round(value, 3) for name, value in spent.items()}
        with atomic_write(self._folder / _SPENT) as temporary:
            temporary.write_text(json.dumps(plain, indent=1), encoding="utf-8")

    def _spent(self) -> dict[str, float]:
        try:
            found = json.loads((self._folder / _SPENT).read_text(encoding="utf-8")).items()
        except (OSError, ValueError, AttributeError):  # not there, or not written by us
            return {}
        return {name: math.nan if value is None else float(value) for name, value in found}

    def _origin(self, need: Need, had: Any) -> Origin:
        if isinstance(had, Study):
            about = had.attributes
            nodes, seeds = _seconds_of_nodes(self._folder / need.key / "study.h5")
            return Origin(
                need.key, had.title, getattr(need, "command", ""), str(about["device"]), str(about["finished"]),
                sum(nodes.values()), nodes, had.versions, tuple(map(str, had.settings.get("deviations", ()))), seeds,
            )  # fmt: skip
        title = str(getattr(need, "title", "") or need.key)
        here = device_name(usable_device(self._device))
        made = _last_written(self._folder / need.key)
        return Origin(need.key, title, "", here, made, self._spent().get(need.key, math.nan), {}, versions())


def _result(claim: Claim, scale: Scale, obtained: _Obtained, until: int | None = None) -> Result:
    needs, looks = claim.needs.get(scale, ()), claim.looks.get(scale)
    keys = tuple(need.key for need in needs)
    if not needs:
        reason = claim.absent.get(scale, f"there is no study of it at {scale} scale")
        return Result(claim, Finding(claim.id, reason=reason))
    had: dict[str, Any] = {}
    finding, course, taken = Finding(claim.id), None, []
    coverage = {0: 0.95} if looks is None else {look: looks.coverage[look] for look in looks.until(until)}
    for look in coverage:
        try:
            try:
                had = {need.key: obtained(need, looks, look) for need in needs}
            except (CannotRead, CannotWrite):
                raise
            except BadInput as error:
                return Result(claim, Finding(claim.id, reason=str(error)), keys)
            found = claim.judge(had, coverage[look])
        except (CannotRead, CannotWrite):  # no word about the claim, which is found as it was at the next run
            raise
        except Exception as error:
            told = _told(error)
            return Result(claim, Finding(claim.id, reason=f"it failed: {told}"), keys, fault=told)
        if looks is None:
            finding = found
            break
        taken.append(look)
        finding = found.at_look(look, finding)
        settled = finding.verdict != "undecided"
        course = Course(looks, tuple(taken), obtained.seconds_per_seed(keys), settled)
        if settled:
            break
    try:
        with style():
            figure = None if claim.draw is None else claim.draw(had)
        return Result(claim, finding, keys, figure, course=course)
    except Exception as error:
        return Result(claim, finding, keys, fault=f"its figure failed: {_told(error)}", course=course)


def _told(error: Exception) -> str:
    if os.environ.get("BINOCULAR_DEBUG"):
        raise error
    return f"{type(error).__name__}: {error} (BINOCULAR_DEBUG=1 shows where)"


def _seconds_of_nodes(path: Path) -> tuple[dict[str, float], int]:
    """Return the seconds of each history in a study, by its identity, and how many seeds it has."""
    with opened(path) as file:
        if "tree" not in file:
            return {}, 0
        tree = read_table(subgroup(file, "tree"))
    seconds = zip(tree["identity"], tree["seconds"], strict=True)
    nodes = {str(identity): 0.0 if math.isnan(value) else float(value) for identity, value in seconds}
    return nodes, len(set(tree["seed"]))


def _last_written(folder: Path) -> str:
    """Return when the newest file of a computation was written; now where it keeps none."""
    times = [path.stat().st_mtime for path in folder.rglob("*") if path.is_file()]
    if not times:
        return _now()
    return datetime.datetime.fromtimestamp(max(times), datetime.UTC).isoformat(timespec="seconds")


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
