"""The lab without a page: subjects reared live in a thread, under controls that can be worked at any moment.

Everything that changes a subject happens in that thread, between two epochs and in the order in which it was asked
for: so a control takes effect at the next epoch boundary, and what was recorded is what was done.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import torch

from binocular.lab.animals import animals
from binocular.lab.controls import Controls
from binocular.lab.saving import protocol_of, save_study
from binocular.lab.subject import LabSubject, sentence_of
from binocular.lab.tracks import pack, shade
from binocular.protocols import Protocol, load_protocol
from binocular.runs.checking import check_protocol
from binocular.stimuli.errors import BadInput

__all__ = ["MOST_EPOCHS", "PROTOCOL", "Session"]

PROTOCOL = "teaching-lab"
"""The protocol of the library whose settings the lab uses and whose conditions are its experiments."""
MOST_EPOCHS = 600
SLOWEST = 10.0
"""Most seconds that an epoch can be made to last."""

Message = dict[str, Any]
Answer = TypeVar("Answer")


class Session:
    """Two subjects at most, one of them being reared.

    Parameters
    ----------
    protocol
        Settings and experiments; its clock must not look at phases. That of the library by default.
    seed
        Seed of the subjects.
    listen
        Called with each message for the page, from the rearing thread.

    Raises
    ------
    BadInput
        If the protocol cannot be reared live.
    """

    def __init__(
        self,
        protocol: Protocol | None = None,
        seed: int = 0,
        listen: Callable[[Message], None] | None = None,
    ) -> None:
        self.protocol = load_protocol(PROTOCOL) if protocol is None else protocol
        if self.protocol.training.clock == "phase":
            raise BadInput("training.clock: the lab does not know when a phase will end; accepted: absolute, constant")
        self._study = check_protocol(self.protocol, "cpu", None, "binocular lab").study
        self.experiments = {
            condition.name: [Controls.of(epoch.deficits) for epoch in condition.epoch_conditions()]
            for condition in self.protocol.resolved_conditions()
        }
        self._labels = {condition.name: condition.label for condition in self.protocol.resolved_conditions()}
        self.listen = listen or (lambda message: None)
        self._seed, self._controls = seed, Controls()
        self._subjects: dict[str, LabSubject] = {}
        self._active = "subject"
        self._script: str | None = None
        self._playing, self._pause, self._last = False, 0.0, 0.0
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="rearing", daemon=True)
        self._thread.start()
        self._ask(lambda: self._new("subject", "subject")).result()

    # ---- what can be asked for, from any thread ----

    def set_controls(self, controls: Controls) -> Future[None]:
        """Set the controls from the next epoch on; an experiment that is going on ends here."""
        return self._ask(lambda: self._set(controls))

    def play(self) -> Future[None]:
        """Rear on until told to pause."""
        return self._ask(lambda: self._play(True))

    def pause(self) -> Future[None]:
        """Stop after the present epoch."""
        return self._ask(lambda: self._play(False))

    def step(self, epochs: int = 1) -> Future[None]:
        """Rear some epochs and pause."""

        def go() -> None:
            self._playing = False
            for _ in range(epochs):
                self._epoch()
            self._tell_status()

        return self._ask(go)

    def set_speed(self, seconds: float) -> Future[None]:
        """Make every epoch last at least so many seconds; 0 is as fast as the CPU can.

        Raises
        ------
        BadInput
            If it is negative or more than ten seconds.
        """
        if not 0 <= seconds <= SLOWEST:
            raise BadInput(f"speed: {seconds!r} s is not a time an epoch can last; accepted: 0 to {SLOWEST:g}")
        return self._ask(lambda: self._set_speed(seconds))

    def restart(self, seed: int | None = None) -> Future[None]:
        """Begin the active subject again, untrained and with normal vision; with a seed begin a new litter of one.

        Raises
        ------
        BadInput
            If the seed is negative.
        """
        if seed is not None and not 0 <= seed < 2**31:
            raise BadInput(f"seed: {seed} is not a seed; accepted: whole numbers from 0")
        return self._ask(lambda: self._restart(seed))

    def littermate(self) -> Future[None]:
        """Begin a second subject of the same seed, which becomes the active one; an earlier littermate is replaced."""
        return self._ask(lambda: self._begin("littermate", "littermate"))

    def choose(self, name: str) -> Future[None]:
        """Make a subject the active one: the one that is reared and that the controls act on."""
        return self._ask(lambda: self._choose(name))

    def experiment(self, name: str) -> Future[None]:
        """Restart the active subject and work the controls as an experiment says; rearing starts and ends by itself.

        Raises
        ------
        BadInput
            If there is no such experiment.
        """
        if name not in self.experiments:
            raise BadInput(f"there is no experiment '{name}'; accepted: {', '.join(self.experiments)}")
        return self._ask(lambda: self._experiment(name))

    def saved_protocol(self) -> Future[Protocol]:
        """Return the protocol that repeats what was done to all subjects; see `binocular.lab.saving.protocol_of`."""
        return self._ask(lambda: protocol_of(self.protocol, list(self._subjects.values())))

    def save_study(self, folder: Path) -> Future[Path]:
        """Write a study of all subjects into a folder; see `binocular.lab.saving.save_study`."""
        return self._ask(lambda: save_study(self.protocol, list(self._subjects.values()), folder))

    def hello(self) -> Future[Message]:
        """Return everything a page needs that has just been opened."""
        return self._ask(self._hello)

    def close(self) -> None:
        """End the thread; what is not saved is lost."""
        self._tasks.put(None)
        self._thread.join(timeout=30)

    # ---- in the rearing thread ----

    def _ask(self, task: Callable[[], Answer]) -> Future[Answer]:
        future: Future[Answer] = Future()

        def run() -> None:
            try:
                future.set_result(task())
            except BaseException as error:
                future.set_exception(error)

        self._tasks.put(run)
        return future

    def _work(self) -> None:
        torch.set_num_threads(1)  # as in a study, so that the arithmetic is the same
        while True:
            wait = max(0.0, self._last + self._pause - time.monotonic()) if self._playing else None
            try:
                task = self._tasks.get(timeout=wait) if wait != 0.0 else self._tasks.get_nowait()
            except queue.Empty:
                try:
                    self._epoch()
                except Exception as error:  # the class shall read what happened, and the page shall stay alive
                    self._stop(f"A fault of binocular itself: {type(error).__name__}: {error}")
                continue
            if task is None:
                return
            task()

    def _epoch(self) -> None:
        subject = self._subjects[self._active]
        if subject.age >= MOST_EPOCHS:
            self._stop(f"The subject is {MOST_EPOCHS} epochs old, which is all that fits here: save, or restart.")
            return
        self._last = time.monotonic()
        if self._script is not None:
            scripted = self.experiments[self._script][subject.age]
            if scripted != self._controls:
                self._controls = scripted
                self._tell_status()
        before = len(subject.track.stretches)
        try:
            frame = subject.rear(self._controls)
        except FloatingPointError as error:
            self._stop(f"Learning broke down; restart the {subject.track.name}. ({error})")
            return
        stretch = subject.track.stretches[-1].message()
        if len(subject.track.stretches) == before:
            stretch["pictures"] = None  # the page has them
        self.listen({"type": "frame", "track": subject.track.name, "frame": frame.message(), "stretch": stretch})
        if self._script is not None and subject.age == len(self.experiments[self._script]):
            self._playing, self._script = False, None
            self._tell_status()

    def _stop(self, why: str) -> None:
        self._playing = False
        self.listen({"type": "trouble", "text": why})
        self._tell_status()

    def _set(self, controls: Controls) -> None:
        self._controls, self._script = controls, None
        self._tell_status()

    def _play(self, on: bool) -> None:
        self._playing, self._last = on, 0.0
        self._tell_status()

    def _set_speed(self, seconds: float) -> None:
        self._pause = seconds
        self._tell_status()

    def _new(self, name: str, label: str) -> None:
        self._subjects[name] = LabSubject(self._study, self._seed, name, label)

    def _begin(self, name: str, label: str) -> None:
        self._playing = False
        self._new(name, label)
        self._active, self._script, self._controls = name, None, Controls()
        self.listen({"type": "track", "track": self._subjects[name].track.message(), "litter": list(self._subjects)})
        self._tell_status()

    def _restart(self, seed: int | None) -> None:
        if seed is not None:
            self._seed, self._subjects, self._active = seed, {}, "subject"
        self._begin(self._active, self._active)

    def _choose(self, name: str) -> None:
        if name not in self._subjects:
            raise BadInput(f"there is no subject '{name}'; accepted: {', '.join(self._subjects)}")
        self._active, self._script = name, None
        stretches = self._subjects[name].track.stretches
        self._controls = Controls() if not stretches else Controls.of(stretches[-1].deficits)
        self._tell_status()

    def _experiment(self, name: str) -> None:
        self._begin(self._active, self._labels[name])
        self._script, self._controls = name, self.experiments[name][0]
        self._play(True)

    def _look(self, controls: Controls) -> Message:
        pictures = self._subjects[self._active].pictures(controls)
        return {"text": sentence_of(controls.deficits()), "pictures": pack(shade(pictures, limit=3.0))}

    def _status(self) -> Message:
        return {
            "type": "status",
            "playing": self._playing,
            "pause": self._pause,
            "active": self._active,
            "controls": self._controls.model_dump(mode="json"),
            "look": self._look(self._controls),
            "experiment": self._script,
            "seed": self._seed,
        }

    def _tell_status(self) -> None:
        self.listen(self._status())

    def _hello(self) -> Message:
        descriptions = {
            condition.name: [phase.sentence() for phase in condition.phases]
            for condition in self.protocol.resolved_conditions()
        }
        return {
            "type": "hello",
            "experiments": [
                {"name": name, "label": self._labels[name], "epochs": len(steps), "phases": descriptions[name]}
                for name, steps in self.experiments.items()
            ],
            "animals": animals(),
            "tracks": [subject.track.message() for subject in self._subjects.values()],
            "status": self._status(),
        }
