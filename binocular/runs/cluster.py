"""Rearing on many machines: nodes are tasks of Dask, and the files in a folder that all workers see are the state."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from binocular.rearing.tree import Node
from binocular.runs.planning import StudyPlan
from binocular.runs.scheduling import Queue, drive, epochs_left, rear_group
from binocular.stimuli.errors import BadInput, warn

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["check_cluster", "rear_on_dask"]

MOST_WORKERS = 1024
_WAIT = "20s"  # how long a scheduler may take to answer
_MISSED = 120.0  # seconds in which a worker here that died would have been replaced


def check_cluster(where: str) -> None:
    """Raise `BadInput` if there can be no such cluster, before anything is written.

    Parameters
    ----------
    where
        As for `rear_on_dask`.
    """
    if find_spec("distributed") is None:
        raise BadInput("--dask: Dask is not installed; pip install dask distributed brings it")
    if not (where.isascii() and where.isdigit()):
        if "://" not in where:
            raise BadInput(f"--dask: '{where}' is neither a number of workers nor an address such as tcp://host:8786")
    elif not 1 <= int(where) <= MOST_WORKERS:
        raise BadInput(f"--dask: {where} workers are not possible here; accepted are 1 to {MOST_WORKERS}")


def rear_on_dask(
    study: StudyPlan,
    outstanding: Sequence[Node],
    folder: Path,
    on_epoch: Callable[[Node], None],
    where: str,
) -> dict[str, str]:
    """Rear nodes as tasks of a Dask cluster.

    Parameters
    ----------
    study, outstanding, on_epoch
        As for `rear_here`; a node's epochs are told when the whole node is done.
    folder
        Output folder, which every worker must see under the same path.
    where
        Number of workers of a cluster on this machine, or the address of a scheduler such as ``tcp://host:8786``.

    Returns
    -------
    dict of str to str
        For each node that could not be reared, by identity, the cause in one line. Work of a worker that is lost goes
        to another one, which begins where the lost one last saved.

    Raises
    ------
    BadInput
        If nobody answers at ``where``, the scheduler there is lost, or workers here died for good.
    """
    folder = folder.absolute()
    left = {node.identity: epochs_left(node, folder) for node in outstanding}

    def done(group: list[Node]) -> None:
        for node in group:
            for _ in range(left[node.identity]):
                on_epoch(node)

    try:
        with _client(where) as client:
            pool = client.get_executor(pure=False)

            def submit(group: list[Node]) -> Future[None]:
                return pool.submit(rear_group, study.plan, group, folder)

            return drive(Queue(study, outstanding), submit, None, done, _attend(client, where))
    except CancelledError:  # nobody here cancels
        raise BadInput(
            f"--dask: the scheduler at {where} was lost; what was reared is kept, and the same command goes on from "
            "there once one answers"
        ) from None


def _attend(client: Client, where: str) -> Callable[[], None]:
    """Return what is called while workers rear: it raises where those of this machine died and do not come back."""
    seen, cluster = time.monotonic(), cast(Any, client.cluster)  # of this machine, with its scheduler in this process

    def look() -> None:
        nonlocal seen
        if cluster is None or cluster.scheduler.workers:
            seen = time.monotonic()
        elif time.monotonic() - seen > _MISSED:
            raise BadInput(
                "--dask: the workers died and do not come back, perhaps for want of memory; what was reared is kept, "
                "and the same command goes on from there, with fewer workers if it is memory"
            )

    if cluster is None and not client.nthreads():
        warn(f"--dask: no worker has come to the scheduler at {where} yet; rearing begins when one does")
    return look


@contextmanager
def _client(where: str) -> Iterator[Client]:
    import distributed
    from distributed.utils import silence_logging_cmgr

    if "://" in where:
        with silence_logging_cmgr(logging.CRITICAL):  # it prints tracebacks of what is said here in a sentence
            try:
                client = distributed.Client(where, timeout=_WAIT)
            except (OSError, ValueError) as error:
                raise BadInput(f"--dask: no scheduler answers at {where} ({error})") from error
            with client:
                yield client
        return
    from dask import config

    settings: dict[str, Any] = {"distributed.worker.daemon": True, "distributed.admin.log-length": 0}
    with (
        config.set(settings),
        distributed.LocalCluster(
            n_workers=int(where),
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,  # workers that end complain of each other
        ) as cluster,
        distributed.Client(cluster, timeout=_WAIT) as client,
    ):
        yield client
