"""The list of figures, and drawing them into a folder."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from binocular.protocols.figures import OWN_FIGURES, own_figure
from binocular.report.figures.saving import save_figure
from binocular.report.figures.style import style
from binocular.stimuli.errors import BadInput, finding, warn
from binocular.stimuli.surroundings import own_settings
from binocular.store.conditions import in_order
from binocular.store.ownership import remove_figures
from binocular.store.study import Study, load_study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FIGURES", "Drawing", "draw", "draw_all", "drawing_of", "figure_of", "to_draw"]


@dataclass(frozen=True)
class Drawing:
    """A figure: where its function is, whether it is drawn for each site, and one sentence on how to read it.

    A figure of what a later probe found names the ``probe`` and is drawn for the sites at which it was taken; one of
    ``several_areas`` is drawn where a study holds at least two.
    """

    function: str | Callable[..., Figure]
    per_site: bool
    caption: str
    probe: str = ""
    several_areas: bool = False

    def __call__(self, study: Study, site: str | None = None) -> Figure:
        """Draw it; ``site`` matters only for a figure of a site."""
        function = self.function
        if isinstance(function, str):
            module, name = function.split(":")
            function = getattr(import_module(module), name)
        return function(study, site) if self.per_site else function(study)  # type: ignore[operator]

    def sites(self, study: Study) -> tuple[str, ...]:
        """Return the sites for which it is drawn; empty where its probe has not been taken."""
        if self.several_areas and not study.through_areas:
            return ()
        if self.probe:
            of = {site for c in study.reared for s in c.subjects for name, site in s.measures if name == self.probe}
            return in_order(of)
        return study.sites if self.per_site else (study.default_site,)


FIGURES: dict[str, Drawing] = {
    "dominance": Drawing(
        "binocular.report.figures.dominance:dominance_figure",
        True,
        "Units by ocular-dominance group, from group 1 (driven by the right eye only) over 4 (by both equally) to 7 "
        "(by the left eye only); the contralateral bias index (CBI) is 1 where every unit belongs to the treated eye, "
        "0.5 in balance, 0 where every unit belongs to the fellow eye.",
    ),
    "outcomes": Drawing(
        "binocular.report.figures.outcomes:outcomes_figure",
        True,
        "The same measures and the tasks at the end of rearing, condition by condition: diamonds are means over seeds, "
        "lines their 95 % intervals, circles single seeds; the dotted line is the balance of the eyes.",
    ),
    "areas": Drawing(
        "binocular.report.figures.areas:areas_figure",
        False,
        "The same units area by area, from the first cells that hear both eyes, as a physiologist records from, to the "
        "representation from which the classes are read; bars are means over seeds with 95 % intervals, the outline "
        "is the untrained network. Below, the share of binocular units (groups 2 to 6) and the median size of RSV.",
        several_areas=True,
    ),
    "rearing": Drawing(
        "binocular.report.figures.rearing:rearing_figure",
        True,
        "Relative source variance of the units at each checkpoint, +1 for the left eye only and −1 for the right eye "
        "only, darker where there are more units; the bar on top marks the epochs of a deficit in the eye's colour.",
    ),
    "learning": Drawing(
        "binocular.report.figures.learning:learning_figure",
        False,
        "Accuracy on undisturbed test stimuli through rearing, with both eyes in each task and with one eye while the "
        "other sees grey; bands are 95 % intervals over seeds, the shaded epochs those with a deficit.",
    ),
    "agreement": Drawing(
        "binocular.report.figures.physiology:agreement_figure",
        True,
        "Ocular dominance index from gratings to one eye against relative source variance, a point per unit, all "
        "seeds at the end of rearing; grey circles are untrained subjects. ρ is the rank correlation within "
        "a subject, mean and 95 % interval over seeds.",
        "odi",
    ),
    "tuning": Drawing(
        "binocular.report.figures.physiology:tuning_figure",
        True,
        "Orientation tuning through each eye at its best spatial frequency and phase, blue circles for the left eye "
        "and vermilion squares for the right; four units of the first seed per condition, from right- to left-eyed.",
        "odi",
    ),
    "receptive-fields": Drawing(
        "binocular.report.figures.physiology:field_pairs_figure",
        True,
        "Pairs of receptive fields of one subject per condition, left eye in blue frames, right eye in vermilion, "
        "ordered from right- to left-eyed; orange is excited by light, purple by dark, and the two of a pair share one "
        "scale.",
        "receptive-fields",
    ),
}
"""The figures that ship by name, in the order of the report."""


def drawing_of(name: str) -> Drawing:
    """Return a figure by its name, or as ``module:function`` for one of a user's own.

    Raises
    ------
    BadInput
        If there is none, or nobody has allowed its code to be run.
    """
    if name in FIGURES:
        return FIGURES[name]
    if ":" not in name and name not in OWN_FIGURES.of_packages:
        raise BadInput(f"there is no figure {name!r}; accepted are {', '.join(FIGURES)}, {OWN_FIGURES.accepted()}")
    function, per_site = own_figure(name, "figure")

    def drawn(*given: object) -> Figure:
        with finding(f"the figure {name} cannot be drawn"):
            figure = function(*given)
        if not hasattr(figure, "savefig"):
            raise BadInput(f"the figure {name} cannot be drawn: it returns a {type(figure).__name__}, no Figure")
        return figure

    return Drawing(drawn, per_site, " ".join((inspect.getdoc(function) or name).partition("\n\n")[0].split()))


def _chosen(study: Study, names: Sequence[str] | None) -> dict[str, Drawing]:
    """Return figures by the names of their files: those asked for, or all that ship and those of the protocol."""
    if names:
        return {_stem(name): drawing_of(name) for name in names}
    found = dict(FIGURES)
    for name in _of_protocol(study):
        try:
            found[_stem(name)] = drawing_of(name)
        except BadInput as error:
            warn(f"left out: {error}")
    return found


def _stem(name: str) -> str:
    """Return the name of a figure without its module; that of a user's own is no name of those that ship."""
    own = name.rpartition(":")[2].replace("_", "-")
    return f"own-{own}" if ":" in name and own in FIGURES else own


def _of_protocol(study: Study) -> list[str]:
    """Return the figures of a user's own that the protocol of a study asks for."""
    figures = study.settings.get("figures", [])
    return [name for name in figures if isinstance(name, str)] if isinstance(figures, list) else []


@own_settings()
def figure_of(study: Study | Path | str, name: str, site: str | None = None) -> Figure:
    """Return one figure of a study; a notebook shows it by itself.

    Parameters
    ----------
    study
        A study in memory, a ``study.h5``, or the folder that holds one.
    name
        One of `FIGURES`, or ``module:function`` for one of your own.
    site
        Of which site, for a figure of a site; by default the first one that it can be drawn for: the first
        binocular cells where they were measured, else the representation.

    Raises
    ------
    BadInput
        If there is no figure of that name or no such site, or the study does not hold what the figure shows.

    Examples
    --------
    >>> import binocular
    >>> binocular.figure_of("results/monocular-deprivation", "histogram")
    Traceback (most recent call last):
    binocular.stimuli.errors.BadInput: there is no figure 'histogram'; accepted are dominance, ...
    """
    drawing = drawing_of(name)
    study = study if isinstance(study, Study) else load_study(study)
    if not study.reared:
        raise BadInput(f"the study {study.title!r} has no subjects to draw; accepted is one with at least one")
    _check_probe(study, name, drawing)
    sites = drawing.sites(study)
    if site is not None and site not in sites:
        raise BadInput(f"the figure {name!r} cannot be drawn for a site {site!r}; accepted are {', '.join(sites)}")
    with style():
        return drawing(study, site or sites[0])


def _check_probe(study: Study, name: str, drawing: Drawing) -> None:
    if not study.reared or drawing.sites(study):
        return
    if drawing.several_areas:
        raise BadInput(
            f"the figure {name!r} needs subjects measured at at least two areas; "
            f"this study has the sites {', '.join(study.sites)}"
        )
    if drawing.probe:
        raise BadInput(
            f"the figure {name!r} needs a probe that this study does not hold; "
            f"'binocular measure STUDY --probe {drawing.probe}' takes it"
        )


def draw(study: Study, names: Sequence[str] | None = None) -> Iterator[tuple[str, str, Figure]]:
    """Draw figures one after the other.

    Parameters
    ----------
    study, names
        The study in memory, and which figures, as for `draw_all`.

    Yields
    ------
    tuple
        Name in `FIGURES`, name of the file without its ending (a site that is not the study's default is part of
        it), and the figure.

    Raises
    ------
    BadInput
        If there is no figure of a name, or the study does not hold what it shows.
    """
    for name in names or ():
        _check_probe(study, name, drawing_of(name))
    for drawing, name, stem, site in to_draw(study, names):
        try:
            with style():
                figure = drawing(study, site)
        except BadInput as error:
            if names:
                raise
            warn(f"left out: {error}")
            continue
        yield name, stem, figure


def to_draw(study: Study, names: Sequence[str] | None = None) -> Iterator[tuple[Drawing, str, str, str]]:
    """Give the figures that `draw` draws, in its order, each with its name, its file without ending, and its site.

    Parameters
    ----------
    study, names
        As for `draw`.
    """
    for name, drawing in _chosen(study, names).items():
        # Of many areas the first and the last are drawn, and whatever is no area; the others when they are asked for.
        for site in drawing.sites(study) if study.reared else ():
            if site not in study.areas[1:-1]:
                yield drawing, name, name if site == study.default_site else f"{name}.{site}", site


@own_settings()
def draw_all(study_path: Path | str, folder: Path | str, names: Sequence[str] | None = None) -> list[Path]:
    """Draw figures of a study file into a folder, each as PNG (200 dpi) and SVG; return the files.

    Parameters
    ----------
    study_path
        A ``study.h5``, or the folder that holds one.
    folder
        Made if missing; files of the same name are replaced, and figures that an earlier study left there removed.
    names
        Which of `FIGURES`, or ``module:function``; by default all that ship, and those that the protocol asks for. Of
        the latter one that cannot be drawn, or whose code nobody has allowed, is left out with a word.

    Raises
    ------
    BadInput
        If the study cannot be opened, a name is unknown or the folder cannot be written.
    """
    study = load_study(study_path)
    if not study.reared:
        warn("no figure is drawn: the study has no subjects")
    protocol = study.attributes["protocol_hash"]
    written: list[Path] = []
    for _, stem, figure in draw(study, names):
        written += save_figure(figure, Path(folder) / stem, of=protocol)
    remove_figures(Path(folder), written, protocol if names or _of_protocol(study) else "")
    return written
