"""The command line. Everything heavy is imported inside the commands, so that ``binocular --help`` answers at once."""

from __future__ import annotations

import json
import logging
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import IO, Annotated

import typer

from binocular.papers.command import reproduce
from binocular.stimuli.errors import BadInput, MissingData, printable

__all__ = ["app"]

app = typer.Typer(
    name="binocular",
    help="The ocular-dominance experiment for two-eyed networks: close an eye, rear, measure, compare.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        from binocular.store.provenance import versions

        print(", ".join(f"{name} {version}" for name, version in versions().items()))
        raise typer.Exit


@app.callback()
def _of_all(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_tell_version, is_eager=True, help="Show the versions that results note, and exit."
        ),
    ] = False,
) -> None: ...


app.command()(reproduce)

AllowLarge = Annotated[
    bool, typer.Option("--allow-large", help="Let a study begin that is too large for what is there.")
]
ProtocolName = Annotated[str, typer.Argument(help="Name of a protocol (see 'binocular list') or path of a .toml file.")]
StudyPath = Annotated[Path, typer.Argument(help="A study.h5, or the folder that holds one.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a field of the protocol, for example training.lr=0.01; can be repeated."),
]
TrustCode = Annotated[
    bool, typer.Option("--trust-code", help="Let classes that the protocol or study names (module:Class) be run.")
]


@app.command("list")
def list_protocols() -> None:
    """List the named protocols with the experiment each follows."""
    from binocular.report.library_table import print_library

    print_library()


@app.command()
def show(
    protocol: ProtocolName,
    settings: Settings = None,
    svg: Annotated[Path | None, typer.Option(help="Draw the time lines and the phase tree to this SVG file.")] = None,
    allow_large: AllowLarge = False,
    trust_code: TrustCode = False,
) -> None:
    """Check a protocol as 'run' does, and show its time lines, its phase tree, and what rearing it will take."""
    from binocular.protocols import load_protocol
    from binocular.report.showing import show_protocol
    from binocular.runs.checking import check_protocol

    _trust(trust_code)
    if svg is not None:
        _writable(svg, "--svg")
    chosen = load_protocol(protocol, settings or [])
    try:
        with _naming(protocol):
            notes = check_protocol(chosen, "cpu", allow_large).notes
    except MissingData as error:  # what is asked for can still be shown
        notes = (f"cannot be run here yet: {error}",)
    show_protocol(chosen, svg)
    _say(*notes)


@app.command()
def run(
    protocol: ProtocolName,
    out: Annotated[Path | None, typer.Option(help="Output folder; results/PROTOCOL by default.")] = None,
    seeds: Annotated[int | None, typer.Option(help="Subjects per condition.")] = None,
    settings: Settings = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    dask: Annotated[
        str, typer.Option(help="Rear on a Dask cluster: a number of workers here, or the address tcp://host:8786.")
    ] = "",
    keep: Annotated[
        str, typer.Option(help="States kept at the end: all, ends (of each subject), or auto (all up to 2 GB).")
    ] = "auto",
    fresh: Annotated[bool, typer.Option("--fresh", help="Rear everything anew instead of resuming.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    timings: Annotated[Path | None, typer.Option(help="Write where the time went to this JSON file.")] = None,
    allow_large: AllowLarge = False,
    trust_code: TrustCode = False,
) -> None:
    """Rear, measure, store, draw and report a study; a second run takes up where the first stopped."""
    from binocular.protocols import load_protocol

    _trust(trust_code)
    if timings is not None:
        _writable(timings, "--timings")
    chosen = load_protocol(protocol, [*(settings or []), *([] if seeds is None else [f"seeds={seeds}"])])
    folder = out if out is not None else Path("results") / Path(protocol).stem

    from binocular.runs.progress import progress_for
    from binocular.runs.running import run_study

    if quiet:
        logging.getLogger("binocular").setLevel(logging.ERROR)
    command = shlex.join(["binocular", *sys.argv[1:]])
    try:
        with _naming(protocol):
            outcome = run_study(
                chosen, folder, device, progress_for(quiet), command, fresh, dask, keep, True, allow_large
            )
    except KeyboardInterrupt:
        print(file=sys.stderr)
        _say(f"Stopped; what was reared is kept in {folder}. The same command takes it up.", stream=sys.stderr)
        raise typer.Exit(130) from None
    if outcome.study.is_file():
        _present(outcome.study, quiet)
    if timings is not None:
        from binocular.rearing.stopwatch import write_timings

        write_timings(timings)
    for (condition, seed), cause in outcome.failures.items():
        _say(f"binocular: {condition}, seed {seed}: {cause}", stream=sys.stderr)
    if outcome.failures:
        print("binocular: the study is incomplete; the same command tries again", file=sys.stderr)
        raise typer.Exit(1)


def _present(study: Path, quiet: bool) -> None:
    """Draw, report, and print the table of conditions."""
    from binocular.rearing.stopwatch import timed
    from binocular.report.figures import draw_all
    from binocular.report.page import write_report
    from binocular.report.tables import print_table

    with timed("drawing"):
        figures = draw_all(study, study.parent / "figures")
    with timed("reporting"):
        report = write_report(study, study.parent / "report.html", figures)
    if quiet:
        return
    print_table(study)
    _say(f"study    {study}")
    _say(f"figures  {study.parent / 'figures'}  ({len(figures)} files)")
    _say(f"report   {report}")


@app.command()
def plot(
    study: StudyPath,
    figure: Annotated[
        list[str] | None,
        typer.Option(help="Name of a figure, or module:function of your own; can be repeated. All by default."),
    ] = None,
    trust_code: TrustCode = False,
) -> None:
    """Redraw the figures of a study from its file alone."""
    from binocular.report.figures import draw_all

    _trust(trust_code, *(figure or ()))
    path = _study_file(study)
    _say(*draw_all(path, _writable(_beside(path, "figures"), "STUDY", folder=True), figure or None))


@app.command()
def animate(
    study: StudyPath,
    out: Annotated[
        Path | None, typer.Option(help="File to write, .gif or .mp4; figures/rearing.gif beside the study by default.")
    ] = None,
    site: Annotated[
        str | None, typer.Option(help="Where the units were recorded: first_binocular by default, if it was.")
    ] = None,
) -> None:
    """Draw the ocular-dominance histograms through rearing as an animation."""
    from binocular.report.figures.animation import animate as write_animation

    path = _study_file(study)
    out = out if out is not None else _beside(path, "figures") / "rearing.gif"
    _say(write_animation(path, _writable(out), site))


@app.command()
def export(
    study: StudyPath,
    csv: Annotated[bool, typer.Option("--csv", help="Tidy tables, and columns.csv that explains them.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder to write to; 'export' beside the study by default.")] = None,
) -> None:
    """Write a study as tables for analysis elsewhere."""
    from binocular.runs.progress import Waiting
    from binocular.store.exports import export_csv

    if not csv:
        raise BadInput("export: say what to write; accepted: --csv")
    path = _study_file(study)
    folder = _writable(out if out is not None else _beside(path, "export"), folder=True)
    with Waiting("writing tables") as waiting:
        written = export_csv(path, folder, waiting.tell)
    _say(*written)


@app.command()
def compare(
    study: StudyPath,
    ids: Annotated[
        list[str] | None,
        typer.Option(
            "--with", help="Id of a published record, such as monkey_md_2wk; can be repeated. All by default."
        ),
    ] = None,
    literature: Annotated[
        Path | None,
        typer.Option(help="Folder of your own tables, added to those that ship (docs/literature-format.md)."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Output folder; comparison beside the study by default.")] = None,
    site: Annotated[
        str | None, typer.Option(help="Site whose units are compared: first_binocular by default, if it was recorded.")
    ] = None,
    at: Annotated[
        str,
        typer.Option(
            help="recorded (when the animals of each row were), end (of rearing) or deficit (where each ended)."
        ),
    ] = "recorded",
) -> None:
    """Lay a study over published data: histograms, sensitive period, dose-response, recovery, facts."""
    if at not in ("recorded", "end", "deficit"):
        raise BadInput(f"--at is {at!r}; accepted are recorded, end and deficit")
    path = _study_file(study)
    folder = _writable(out if out is not None else _beside(path, "comparison"), folder=True)

    from binocular.compare import compare_study, write_comparison
    from binocular.compare.presenting import print_comparison
    from binocular.store.study import load_study

    found = compare_study(load_study(path), tuple(ids or ()), literature, site, at)  # type: ignore[arg-type]
    print_comparison(found)
    written = write_comparison(found, folder)
    _say(f"numbers  {written[0]}")
    if written[1:]:
        _say(f"figures  {written[0].parent}  ({len(written) - 1} files)")


@app.command()
def verify(study: StudyPath) -> None:
    """Check a study file: schema, ranges, checksums. Exit 1 says what is wrong."""
    from binocular.store.verification import verify_study

    path = _study_file(study)
    complaints = verify_study(path)
    _say(*complaints)
    if complaints:
        raise typer.Exit(1)
    _say(f"{path} is sound")


@app.command()
def measure(
    study: Annotated[Path | None, typer.Argument(help="A study.h5, or the folder that holds one.")] = None,
    probe: Annotated[str | None, typer.Option(help="Name of a probe, see --list, or module:Class of your own.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Change a setting of the probe, FIELD=VALUE; can be repeated.")
    ] = None,
    site: Annotated[
        list[str] | None, typer.Option(help="Where to measure; can be repeated. By default where the probe usually is.")
    ] = None,
    when: Annotated[
        str, typer.Option(help="branches: untrained and after every branch of the phase tree; end: untrained and last.")
    ] = "branches",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "cpu",
    show_list: Annotated[bool, typer.Option("--list", help="List the probes, with the settings of --probe.")] = False,
    trust_code: TrustCode = False,
) -> None:
    """Measure a finished study again with a probe, from the snapshots in its folder."""
    _trust(trust_code, probe)
    if show_list or study is None or probe is None:
        from binocular.report.tables import list_probes

        if not show_list:
            raise BadInput("measure: name a study and a --probe; 'binocular measure --list' shows the probes")
        list_probes(probe)
        return
    from binocular.probes.registry import probe_from

    chosen = probe_from(probe, settings or [])

    from binocular.report.tables import print_measure
    from binocular.runs.measuring import measure_study
    from binocular.runs.progress import Waiting

    with Waiting(f"measuring {chosen.name}") as waiting:
        written = measure_study(_study_file(study), chosen, tuple(site or ()), when, device, waiting.tell)
    print_measure(written, type(chosen))
    _say(f"study    {written}  (measures/{chosen.name})")


@app.command()
def lab(
    seed: Annotated[int, typer.Option(min=0, help="Seed of the subjects.")] = 0,
    host: Annotated[str, typer.Option(help="Address to listen at; by default only this computer can open it.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="Port to listen at; 0 takes a free one.")] = 8765,
    token: Annotated[
        bool, typer.Option("--token/--no-token", help="Ask for the secret in the printed address.")
    ] = True,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")] = True,
    export: Annotated[
        Path | None, typer.Option(help="Write the page to this folder instead, the classic experiments reared.")
    ] = None,
    litters: Annotated[int, typer.Option(min=1, help="With --export: subjects of each experiment.")] = 3,
    settings: Settings = None,
) -> None:
    """Open the teaching page: rear a subject live, close an eye, watch the cells turn."""
    from binocular.protocols import load_protocol

    chosen = load_protocol("teaching-lab", settings or [])
    if export is not None:
        from binocular.lab.exporting import export_lab
        from binocular.runs.progress import progress_for

        _say(export_lab(chosen, export, litters, progress_for(False), shlex.join(["binocular", *sys.argv[1:]])))
        return
    from binocular.lab.serving import serve

    try:
        serve(chosen, seed, host, port, token, browser)
    except KeyboardInterrupt:
        print("The lab is closed.")


@app.command("show-stimulus")
def show_stimulus(
    protocol: ProtocolName,
    out: Annotated[Path, typer.Option(help="Picture to write: .png, .svg or .pdf.")] = Path("stimulus.png"),
    condition: Annotated[str | None, typer.Option(help="Show it with the deficits of this condition ...")] = None,
    phase: Annotated[int, typer.Option(min=1, help="... in this phase, counted from 1.")] = 1,
    pairs: Annotated[int, typer.Option(min=1, max=48, help="Number of pairs.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the stimuli.")] = 0,
    settings: Settings = None,
    allow_large: AllowLarge = False,
    trust_code: TrustCode = False,
) -> None:
    """Draw a contact sheet of what the two eyes see, with red-cyan anaglyphs."""
    from binocular.protocols import load_protocol
    from binocular.report.showing import draw_stimulus
    from binocular.runs.sizes import check_size

    _trust(trust_code)
    _writable(out)
    chosen = load_protocol(protocol, settings or [])
    with _naming(protocol):
        check_size(chosen, allow_large=allow_large)
        sheet = draw_stimulus(chosen, out, condition, phase, pairs, seed)
    _say(sheet)


@app.command("check-network")
def check_network(
    network: Annotated[str, typer.Argument(help="A network's name, or module:Class of your own.")],
    protocol: Annotated[str, typer.Option(help="Protocol whose stimulus it must take.")] = "monocular-deprivation",
    settings: Settings = None,
    allow_large: AllowLarge = False,
    trust_code: TrustCode = False,
) -> None:
    """Say whether a network can be reared here, what is possible with it, and what it would declare for more."""
    from binocular.protocols import load_protocol
    from binocular.runs.abilities import abilities

    _trust(trust_code)
    chosen = load_protocol(protocol, [*(settings or []), f"network.kind={network}"])
    for found in abilities(chosen, allow_large):
        print(printable(found.in_lines(), but="\n"))


@app.command()
def describe(
    topic: Annotated[str | None, typer.Argument(help="What to describe; all topics are listed by default.")] = None,
    only: Annotated[
        str | None, typer.Argument(help="One kind of it, such as blur, or module:Class of your own.")
    ] = None,
    schema: Annotated[
        bool,
        typer.Option("--schema", help="Print a JSON schema of protocols, for editors that complete and check."),
    ] = False,
) -> None:
    """Say which fields a protocol can have: type, range, default, meaning, and an example."""
    from binocular.report.describing import TOPICS, describe, print_descriptions, schema_for_editors

    _trust(False, only)
    if schema:
        print(json.dumps(schema_for_editors(), indent=1))
    elif topic is None:
        print(f"binocular describe TOPIC [KIND], where TOPIC is one of {', '.join(TOPICS)}")
    else:
        print_descriptions(describe(topic, only or ""))


@app.command()
def bench(
    suite: Annotated[str, typer.Option(help="quick (two minutes on two cores) or full (more rounds).")] = "quick",
    out: Annotated[
        Path | None, typer.Option(help="JSON file to write; results/benchmarks/DATE-SUITE.json by default.")
    ] = None,
    case: Annotated[list[str] | None, typer.Option(help="Name of a case; can be repeated. All by default.")] = None,
) -> None:
    """Measure speed here, as ratios against plain ways of doing the same, each with the limit beside it."""
    from binocular.bench.running import chosen_cases, run_benchmarks, write_record
    from binocular.bench.table import print_record

    chosen_cases(suite, case or ())
    usual = Path("results", "benchmarks", f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}-{suite}.json")
    path = _writable(out if out is not None else usual)
    command = shlex.join(["binocular", *sys.argv[1:]])
    record = run_benchmarks(suite, case or (), command, lambda c: print(f"measuring {c.name}", file=sys.stderr))  # type: ignore[arg-type]
    write_record(path, record)
    print_record(record)
    _say(f"numbers  {path}")


@contextmanager
def _naming(protocol: str) -> Iterator[None]:
    """Name the file of a protocol in what is found wrong with one of its fields after it was read."""
    from binocular.protocols import Protocol

    try:
        yield
    except BadInput as error:
        if re.split(r"\W", str(error), maxsplit=1)[0] not in Protocol.model_fields:
            raise
        name = protocol if protocol.endswith(".toml") or "/" in protocol else f"{protocol}.toml"
        raise type(error)(f"{name}: {error}") from error


def _say(*lines: object, stream: IO[str] | None = None) -> None:
    """Print lines that may quote a file; each stays one line."""
    for line in lines:
        print(printable(str(line)), file=stream)


def _trust(everything: bool, *named: str | None) -> None:
    """Let all code that a protocol or study names be run, if the person says so, and what the person has named."""
    from binocular.stimuli.user_code import allow, allow_all, references_in

    if everything:
        allow_all()
    allow(references_in(text for text in named if text))


def _beside(study: Path, name: str) -> Path:
    """Return the folder beside a study for what is made of it; one that was set aside has a folder of its own."""
    return study.parent / "-".join(filter(None, [name, study.stem.removeprefix("study").lstrip("-")]))


def _writable(path: Path, option: str = "--out", folder: bool = False) -> Path:
    """Return where something can be written; that it cannot is said before the work."""
    from binocular.store.places import check_output

    return check_output(path, option, folder)


def _study_file(path: Path) -> Path:
    from binocular.store.opening import study_file

    return study_file(path)


def __getattr__(name: str) -> object:
    if name == "main":  # where the command began before `binocular.start`; installed scripts may still look here
        return import_module("binocular.start").main
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
