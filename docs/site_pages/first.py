"""What can be done here, in pictures: the part of the first page of the site that shows it.

Each picture is drawn by the code of the project: by the gallery when the site is built, or before from results that
are kept.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["first_page"]


@dataclass(frozen=True)
class _Card:
    """A picture below ``docs``, what can be done, how, and the page that says more."""

    picture: str
    alt: str
    title: str
    text: str
    command: str
    page: str


_CARDS = (
    _Card(
        "images/lab.png",
        "Two littermates side by side on the teaching page",
        "Close an eye and watch",
        "Rear a network live, work its lids, and see its cells turn; or hand a class the page as files.",
        "binocular lab",
        "lab",
    ),
    _Card(
        "generated/figures-rearing.png",
        "Histograms of two groups of subjects through age",
        "Rear whole groups",
        "Wiesel and Hubel's experiment and its controls, several subjects each, the same bits again on every run.",
        "binocular run monocular-deprivation",
        "howto/run",
    ),
    _Card(
        "generated/deficits-misalignment.png",
        "Scenes as seen by eyes that squint",
        "Do anything to an eye",
        "Lids, cataract, squint, patches, strobe light, stripes: from when to when, in one text file.",
        "binocular show-stimulus my.toml",
        "howto/own-protocol",
    ),
    _Card(
        "generated/figures-tuning.png",
        "Orientation tuning of cells through each eye",
        "Put an electrode in",
        "Which eye, which orientation, which pattern, how much about depth: at any age and any stage.",
        "binocular measure STUDY --probe odi",
        "howto/add-probe",
    ),
    _Card(
        "generated/stimuli-stereo-photographs.png",
        "Patches of a real stereo pair, for the left eye and the right",
        "Bring your own",
        "Networks of any make, with or without weights; stereo pairs, objectives, probes and figures of your own.",
        "binocular check-network my_networks:Net",
        "howto/own-network",
    ),
    _Card(
        "images/reproduction/k24-1-depth.png",
        "Contributions of two linear pathways of several depths, one of them gated for a while",
        "Ask why",
        "Two linear pathways that compete, with exact solutions; and the claims of the papers, repeated and judged.",
        "binocular reproduce kleinman-2024",
        "linear-theory",
    ),
)


def first_page() -> str:
    """Return the cards, as a text that the first page includes."""
    parts = [
        f":::{{figure}} /{card.picture}\n:alt: {card.alt}\n:target: {card.page}.html\n\n"
        f"**{card.title}.** {card.text}\n\n`{card.command}`\n:::"
        for card in _CARDS
    ]
    return "\n\n".join(["::::{container} cards", *parts, "::::"]) + "\n"
