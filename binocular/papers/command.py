"""``binocular reproduce``: the claims of a paper, each tested on studies reared here."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from binocular.stimuli.errors import BadInput

__all__ = ["reproduce"]


def reproduce(
    paper: Annotated[
        str,
        typer.Argument(
            help="kleinman-2023, kleinman-2024, achille-2019, pawlak-2025 or what-closes-the-period; --list lists all."
        ),
    ] = "",
    scale: Annotated[
        str, typer.Option(help="lab: the smallest studies that test the claims; paper: the published ones.")
    ] = "lab",
    out: Annotated[Path | None, typer.Option(help="Output folder; results/PAPER-SCALE by default.")] = None,
    claim: Annotated[list[str] | None, typer.Option(help="Id of a claim; can be repeated. All by default.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder with the image sets (CIFAR-10 for paper scale); else BINOCULAR_DATA.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    until: Annotated[
        int | None, typer.Option(help="Most seeds to look at now, where looks are declared; the last look by default.")
    ] = None,
    show_list: Annotated[bool, typer.Option("--list", help="Show the claims and what they need; run nothing.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Test the claims of a paper: published number, ours with its interval, control, and verdict."""
    from binocular.papers.claims import SCALES
    from binocular.papers.registry import PAPERS, chosen_claims, paper_named

    if show_list and not paper:
        for known in PAPERS.values():
            print(f"{known.name}: {known.title}\n  {known.reference}")
            print(f"  claims: {', '.join(one.id for one in known.claims())}")
        return
    if not paper:
        raise BadInput(
            f"reproduce: name a paper; accepted: {', '.join(PAPERS)} ('binocular reproduce --list' shows more)"
        )
    chosen_paper = paper_named(paper)
    if scale not in SCALES:
        raise BadInput(f"--scale: '{scale}' is not a scale; accepted: {', '.join(SCALES)}")
    claims = chosen_claims(chosen_paper, claim or ())

    from rich.console import Console

    from binocular.papers import presenting
    from binocular.papers.pages import write_pages
    from binocular.papers.reproducing import Result
    from binocular.papers.reproducing import reproduce as run

    if data is not None:
        if not data.is_dir():
            raise BadInput(f"--data: {data} is not a folder; name the one that holds the image sets")
        os.environ["BINOCULAR_DATA"] = str(data.absolute())
    console = Console(highlight=False)
    if show_list:
        presenting.print_claims(chosen_paper, claims, console)
        return
    folder = out if out is not None else Path("results") / f"{paper}-{scale}"

    def tell(result: Result) -> None:
        if not quiet:
            presenting.print_result(result, console)

    command = shlex.join(["binocular", *sys.argv[1:]])
    try:
        found = run(chosen_paper, claims, folder, scale, device, quiet, command, tell, until)
    except KeyboardInterrupt:
        print(f"\nStopped; what was done is kept in {folder}. The same command takes it up.", file=sys.stderr)
        raise typer.Exit(130) from None
    written = write_pages(found, folder)
    if not quiet:
        presenting.print_summary(found, console)
        for path in written:
            print(path)
    for fault in found.faults:
        print(f"binocular: {fault}", file=sys.stderr)
    if found.faults:
        raise typer.Exit(1)
