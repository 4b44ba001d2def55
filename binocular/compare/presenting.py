"""A comparison as tables for a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from binocular.compare.comparison import Comparison
from binocular.compare.facts import FactVerdict
from binocular.compare.histograms import HistogramComparison
from binocular.compare.resampling import LEVEL
from binocular.dominance import contralateral_bias
from binocular.report.figures.style import number
from binocular.report.terminal import Terminal, print_fitting

__all__ = ["histograms_table", "print_comparison"]

_MOST = 40
_PLAIN: dict[str, Any] = {"box": None, "pad_edge": False, "padding": (0, 1, 0, 0), "header_style": "bold"}
_SHORT = {"first_binocular": "first cells", "representation": "last layer"}
_COLOURS = {"consistent": "green", "holds": "green", "different": "red", "does not hold": "red", "undecided": "yellow"}


def print_comparison(comparison: Comparison, console: Console | None = None) -> None:
    """Print the tables of a comparison, and how to read them.

    Parameters
    ----------
    comparison, console
        As `compare_study` returns it, and where to print; without, the terminal.
    """
    console = console or Terminal()
    if comparison.shown:
        print_fitting(console, histograms_table(comparison))
        console.print(_histograms_caption(comparison), style="dim", markup=False, highlight=False)
        console.print()
    lines = [*_curve_lines(comparison), *_recovery_lines(comparison)]
    for line in lines:
        console.print(line, markup=False, highlight=False)
    if lines:
        console.print()
    if comparison.facts:
        print_fitting(console, _facts_table(comparison))
        for line in _not_here(comparison):
            console.print(line, style="dim", markup=False, highlight=False)


def histograms_table(comparison: Comparison) -> Table:
    """Return one row per condition and published histogram that are to be looked at."""
    table = Table(**_PLAIN)
    table.add_column("condition", min_width=10)
    table.add_column("beside", overflow="fold", min_width=13)
    table.add_column("CBI ours\nand theirs", no_wrap=True)
    table.add_column("W1", no_wrap=True)
    for site in (comparison.site, *comparison.elsewhere):
        table.add_column("\n".join(["verdict,", *_SHORT.get(site, site).split(" ", 1)]), min_width=10)
    for found in comparison.shown[:_MOST]:
        record, elsewhere = found.record, found.elsewhere
        marks = [f"epoch {one.epoch}: {number(float(contralateral_bias(one.shares)))}" for one in found.marks]
        others = [elsewhere[site].verdict if site in elsewhere else "–" for site in comparison.elsewhere]
        table.add_row(
            Text("\n".join(filter(None, [found.sample.label, _when(found)]))),
            Text(f"{record.name}\n{record.provenance}\n{record.id}" + ("" if found.like else " *")),
            "\n".join([found.ours["cbi"].text(), found.theirs["cbi"].text(), *marks]).replace("[", "\\["),
            found.test.distance.text(digits=1).replace(" [", "\n\\["),
            *(Text(verdict, style=_COLOURS.get(verdict, "")) for verdict in (found.verdict, *others)),
        )
    return table


def _when(found: HistogramComparison) -> str:
    """Return when the subjects were compared; nothing for normal ones."""
    sample, stop = found.sample, found.sample.treatment.stop
    if stop is None:
        return ""
    after = sample.epoch - stop
    return f"{after} epochs after it" if after > 0 else "at its end" if after == 0 else f"at epoch {sample.epoch}"


def _histograms_caption(comparison: Comparison) -> str:
    shown = comparison.shown
    parts = [
        "[..] 95 % resampled. W1: groups by which units must move, 0 to 6. Different: W1 is above what can be told "
        f"apart by resampling, or the {1 - LEVEL / 2:.1%} interval of the difference in CBI leaves out 0."
    ]
    for name, distance in {found.record.name: found.twins[0] for found in shown if found.twins}.items():
        parts.append(f"Two animals of one treatment ({name}) lie {number(distance, 1)} apart.")
    if any(found.marks for found in shown):
        parts.append("Below, our CBI where the deficit ended and at the end of rearing.")
    if any(found.test.distance.n == 1 for found in shown):
        parts.append("One subject: the spread between subjects is not known and not counted.")
    if any(not found.like for found in shown):
        parts.append("* not treated alike.")
    if len(shown) > _MOST:
        parts.append(f"{len(shown) - _MOST} more rows are in comparison.json.")
    return " ".join(parts)


def _curve_lines(comparison: Comparison) -> list[str]:
    """Return what our series say by themselves, and where the published points lie beside them."""
    lines = []
    words = {"profile": "the effect falls with age", "duration": "the effect grows with its length"}
    for kind, claim in words.items():
        curves = [curve for curve in comparison.curves if curve.kind == kind]
        for index, series in enumerate(curves[0].series if curves else ()):
            fixed = f"for {series.fixed} epochs" if kind == "profile" else f"from epoch {series.fixed}"
            species = ", ".join(curve.species for curve in curves)
            lines.append(
                f"{series.treatment} {fixed}: {claim}: {curves[0].verdicts[index]} "
                f"(difference of the ends {series.contrast.text()} CBI; published so for {species})"
            )
    return lines


def _recovery_lines(comparison: Comparison) -> list[str]:
    lines = []
    for found in comparison.recovery:
        first, last = found.accuracy[0], found.accuracy[-1]
        lines.append(
            f"{found.treatment} from the beginning: accuracy of {found.measure} at the end of rearing {first.text()} "
            f"in normal subjects, {last.text()} after a deficit to epoch {found.ends_at[-1]:g}"
            + ("; falls with every later end" if found.falls else "")
        )
    return lines


def _facts_table(comparison: Comparison) -> Table:
    """Return one row per fact that could be tested."""
    table = Table("fact", "published", "ours", "condition", "verdict", **_PLAIN)
    for found in comparison.facts:
        if found.tested:
            one = found.tested[0]
            table.add_row(
                Text(found.test.claim),
                Text(found.published),
                Text(f"{found.test.criterion()}?\n{one.estimate.text()}"),
                Text(one.label + (f" (+{len(found.tested) - 1})" if len(found.tested) > 1 else "")),
                _verdicts(comparison, found),
            )
    return table


def _verdicts(comparison: Comparison, found: FactVerdict) -> Text:
    """Return the verdict on a fact, at both ends of the network where it was taken there."""
    lines = []
    for site, verdict in ((comparison.site, found.verdict), *found.elsewhere.items()):
        line = Text(f"{_SHORT.get(site, site)}: " if found.elsewhere else "")
        lines.append(line.append(verdict, style=_COLOURS.get(verdict, "")))
    own = found.test.moment or "end"
    other = {"end": "deficit", "deficit": "end"}[own]
    then = found.moments.get(other, found.verdict)
    if comparison.at == "recorded" and then not in (found.verdict, "not in this study"):
        where = {"end": "at the end of rearing", "deficit": "where the deficit ended"}[other]
        lines.append(Text(f"{where}: {then}", style="dim"))
    return Text("\n").join(lines)


def _not_here(comparison: Comparison) -> list[str]:
    untested = [found for found in comparison.facts if not found.tested]
    reasons = {why: [f.test.id for f in untested if f.why == why] for why in dict.fromkeys(f.why for f in untested)}
    return [f"not in this study: {', '.join(ids)} ({why})" for why, ids in reasons.items()]
