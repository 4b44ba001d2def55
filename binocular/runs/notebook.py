"""One subject, or one of each of a few conditions, from one line of Python: for a notebook and a first look."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from torch import nn

from binocular.protocols import Protocol, load_protocol
from binocular.protocols.loading import protocol_from
from binocular.protocols.overrides import parse_override
from binocular.runs.running import Progress, run_study
from binocular.stimuli.base import StimulusConfig
from binocular.stimuli.content import digest_of_values
from binocular.stimuli.errors import BadInput
from binocular.stimuli.user_code import give
from binocular.store.study import Study, load_study

__all__ = ["rear"]


def rear(
    network: str | nn.Module | Callable[..., nn.Module] = "split-cnn",
    protocol: str | Path | Protocol = "teaching-lab",
    conditions: str | Iterable[str] = (),
    settings: Iterable[str] = (),
    seed: int = 0,
    folder: Path | str | None = None,
    progress: Progress | bool = True,
    stimulus: StimulusConfig | None = None,
) -> Study:
    """Rear one subject of each condition and return what was measured.

    Parameters
    ----------
    network
        A network's name, ``module:Class``, a class or a function that makes a network (see
        `binocular.networks.options`), or a network, of which each subject has a copy with the weights that it has.
    protocol
        What is done: a name of ``binocular list``, a TOML file, or a protocol.
    conditions
        Names of conditions, or one name; all of the protocol by default.
    settings
        Fields to change, as for ``--set``: ``"training.learning_rate=0.01"``.
    seed
        Seed of the subjects.
    folder
        Where the study is kept and taken up again; a temporary folder by default.
    progress
        True for a plain line every few seconds, False for silence.
    stimulus
        What is seen, in place of the protocol's: pictures in memory, such as
        `binocular.stimuli.pictures_from_arrays` gives.

    Returns
    -------
    Study
        With ``history()``, ``units()`` and ``groups()`` as pandas tables; ``binocular.figure_of(study, "dominance")``
        draws its histograms.

    Raises
    ------
    BadInput
        As `run_study`; or if a condition is not there or a subject could not be reared.

    Examples
    --------
    >>> small = ["stimulus.n_train=20", "stimulus.n_test=20", "probes.n_stimuli=4", "probes.bootstrap=0"]
    >>> small += ["network.options.width=4", "conditions.normal.phases.0.epochs=1"]
    >>> study = rear("split-mlp", "teaching-lab", "normal", small, progress=False)
    >>> study
    <Study 'The teaching lab: a subject that a class can watch': subjects normal (1); areas first_binocular, ...>
    >>> sorted(study.groups("first_binocular")["epoch"].unique().tolist())
    [0, 1]
    """
    chosen = protocol if isinstance(protocol, Protocol) else load_protocol(protocol)
    kind = network if isinstance(network, str) else _kind_of(network)
    changes = [*settings, f'network.kind="{kind}"', f"seeds=[{seed}]"]
    own_options = any(parse_override(text)[0][:2] == ("network", "options") for text in settings)
    if kind != chosen.network.kind and not own_options:
        changes.insert(0, "network.options={}")
    table = chosen.model_dump(mode="json", exclude_none=True)
    if stimulus is not None:
        table["stimulus"] = stimulus.model_dump(mode="json", exclude_none=True)
    chosen = protocol_from(table, "rear", changes)
    names = [conditions] if isinstance(conditions, str) else list(conditions)
    known = {condition.name: condition for condition in chosen.conditions}
    for name in names:
        if name not in known:
            raise BadInput(f"conditions: the protocol has no condition '{name}'; accepted: {', '.join(known)}")
    if names:
        chosen = chosen.model_copy(update={"conditions": tuple(known[name] for name in names)})
    with tempfile.TemporaryDirectory() as temporary:
        outcome = run_study(chosen, folder or temporary, progress=progress, allow_large=None, option="folder")
        if outcome.failures:
            raise BadInput("; ".join(f"{condition}: {why}" for (condition, _), why in outcome.failures.items()))
        return load_study(outcome.study)


def _kind_of(network: nn.Module | Callable[..., nn.Module]) -> str:
    if not isinstance(network, nn.Module):
        return give(network)

    def Copied(shape: tuple[int, int, int], n_classes: int) -> nn.Module:  # noqa: N802 - it is called like its class
        return copy.deepcopy(network)

    own = type(network)
    # Its name is not that of its class, which makes networks of other weights and sizes.
    Copied.__name__ = Copied.__qualname__ = f"{own.__name__}_{digest_of_values(network)[:8]}"
    Copied.__module__ = own.__module__
    return give(Copied)
