"""Invented subjects for the tests of the results side. Nothing here is a measurement."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from binocular.store.records import SiteRecord, SiteUnits, SubjectRecord, TreeRecord
from binocular.store.writing import ConditionHeader, StudyHeader

PROTOCOL = 'title = "Invented <study> & its protocol"\nseeds = 3\n\n[training]\nlearning_rate = 0.05\n'


def invented_subject(
    condition: str = "normal",
    seed: int = 0,
    *,
    epochs: int = 12,
    every: int = 3,
    deprived: tuple[int, int] | None = None,
    deficit: str = "occlusion",
    eye: str = "right",
    shift: float = 0.0,
    units: int = 32,
    tasks: Sequence[str] = ("outline", "stereopsis"),
    map_site: bool = False,
    cell_site: bool = False,
) -> SubjectRecord:
    """Return a subject whose units drift by ``shift`` from the moment of an invented deprivation on."""
    rng = np.random.default_rng([seed, *condition.encode()])
    at = np.unique([*range(0, epochs + 1, every), epochs, *(deprived or ())])
    begin = deprived[0] if deprived else 0
    progress = np.clip((at - begin) / max(1, (deprived[1] - begin) if deprived else 1), 0, 1)[:, None]
    names = ["representation", "representation.map"] if map_site else ["representation"]
    names += ["first_binocular"] if cell_site else []
    sites = {name: _site(rng, at, progress * shift, name, units) for name in names}
    epoch = np.arange(1, epochs + 1)
    learned = 1 - np.exp(-epoch / (epochs / 4))
    closed = np.zeros(epochs, bool) if deprived is None else (epoch > deprived[0]) & (epoch <= deprived[1])
    deficits = [{"kind": deficit, "eye": eye}]
    phases: list[dict] = [{"name": "rearing", "start": 0, "stop": epochs, "deficits": []}]
    if deprived is not None:
        cuts = [("before", 0, deprived[0], []), ("lid closed", *deprived, deficits), ("after", deprived[1], epochs, [])]
        phases = [dict(zip(("name", "start", "stop", "deficits"), c, strict=True)) for c in cuts if c[1] < c[2]]
    starts = np.array([phase["start"] for phase in phases])

    def accuracy(top: float) -> np.ndarray:
        return np.clip(0.5 + (top - 0.5) * learned + 0.01 * rng.standard_normal(epochs), 0, 1)

    history = {
        "epoch": epoch,
        "phase": np.searchsorted(starts, epoch - 1, side="right") - 1,
        "learning_rate": 0.05 * 0.98 ** (epoch - 1.0),
        "train_loss": 2 * np.exp(-epoch / epochs) + 0.01 * rng.random(epochs),
        "train_accuracy": accuracy(0.95),
        "test_accuracy": accuracy(0.85),
        "accuracy_left_only": accuracy(0.7 + 0.15 * max(0, shift)),
        "accuracy_right_only": np.where(closed, np.nan, accuracy(0.7 - 0.3 * shift)),
        **{task: accuracy(0.9 - 0.25 * abs(shift) * (task == "stereopsis")) for task in tasks},
    }
    return SubjectRecord(
        condition=condition,
        seed=seed,
        subject_id=f"{condition}-{seed}-0123456789abcdef",
        phases=phases,
        history=history,
        sites=sites,
        attributes={"invented": True},
    )


def _site(rng: np.random.Generator, at: np.ndarray, shift: np.ndarray, name: str, channels: int) -> SiteRecord:
    places = [] if name == "representation" else [(row, column) for row in range(2) for column in range(2)]
    kind, module = {"representation": ("pooled", "trunk"), "representation.map": ("map", "trunk")}.get(
        name, ("cell", "trunk.0.rectify1")
    )
    about = SiteUnits(kind, module, int(kind != "cell"), channels, 2, 2, places)
    units = about.count
    own = rng.normal(0, 0.55, units)[None, :]
    rsv = np.tanh(
        own * np.linspace(1, 1.2, len(at))[:, None] + 2.2 * shift + 0.1 * rng.standard_normal((len(at), units))
    )
    rsv[0, :2] = np.nan
    silent = np.isnan(rsv)
    total = np.where(silent, 0.0, rng.gamma(2.0, 1.0, rsv.shape))
    filled = np.where(silent, 0.0, rsv)
    values = {
        "rsv": rsv,
        "rsv_se": np.where(silent, np.nan, 0.03),
        "sv_left": total * (1 + filled) / 2,
        "sv_right": total * (1 - filled) / 2,
        "interaction": np.where(silent, np.nan, rng.random(rsv.shape) * 0.3),
    }
    return SiteRecord(epoch=at, values=values, n_silent=silent.sum(-1), units=about)


def invented_conditions(
    seeds: Sequence[int] = (0, 1, 2), only: Sequence[str] = (), **options: object
) -> list[SubjectRecord]:
    """Return the invented subjects of four conditions, or only of some."""
    histories = {
        "normal": {},
        "deprived-early": {"deprived": (0, 4), "shift": 1.0},
        "deprived-late": {"deprived": (8, 12), "shift": 0.3, "epochs": 16},
        "both-eyes": {"deprived": (0, 4), "eye": "both"},
    }
    return [
        invented_subject(name, seed, **{**history, **options})  # type: ignore[arg-type]
        for name, history in histories.items()
        if name in only or not only
        for seed in seeds
    ]


def invented_header(seeds: Sequence[int] = (0, 1, 2), only: Sequence[str] = (), **changes: object) -> StudyHeader:
    """Return the header of `invented_conditions`."""
    labels = {
        "normal": "normal",
        "deprived-early": "deprived early",
        "deprived-late": "deprived late",
        "both-eyes": "both eyes deprived",
    }
    settings: dict = {
        "title": "Invented <study> & its protocol",
        "protocol": PROTOCOL,
        "protocol_hash": "0123456789abcdef",
        "created": "2024-05-01T10:00:00+00:00",
        "finished": "2024-05-01T10:04:00+00:00",
        "versions": {"binocular-lab": "0.1.0", "torch": "2.6.0"},
        "device": "cpu, 2 threads",
        "command": "binocular run monocular-deprivation",
        "conditions": [ConditionHeader(name, label) for name, label in labels.items() if name in only or not only],
        "seeds": tuple(seeds),
    }
    return StudyHeader(**{**settings, **changes})


def invented_tree() -> TreeRecord:
    """Return an invented phase tree of two nodes."""
    return TreeRecord(
        identity=["aa", "bb"],
        parent=["", "aa"],
        seed=np.array([0, 0]),
        start=np.array([0, 4]),
        stop=np.array([4, 12]),
        seconds=np.array([1.5, 3.0]),
        conditions=["normal,deprived-late", "normal"],
    )
