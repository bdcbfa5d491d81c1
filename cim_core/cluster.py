"""Work on a Dask cluster that shares this machine's files.

A batch is one Dask task. Whichever Dask worker gets it does it in processes of its machine, as it
would be done here (`cim_core.processes`): limits hold there too, a bad item fails alone, and what
the work needs is opened once for each Dask worker. Dask itself does a batch again, elsewhere, when
the Dask worker that had it is lost.
"""

import asyncio
import pickle
import secrets
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from cim_core import __version__
from cim_core.crew import Failure, Limits, MakeTask
from cim_core.errors import Cancelled, CimError, MissingDependency
from cim_core.processes import Ask, Opener, work_off

try:
    from distributed import Client, Future, KilledWorker, wait
except ImportError as error:
    raise MissingDependency(
        "work on a cluster needs Dask distributed, which is not installed; install it with "
        '`pip install "cim-twin[cluster]"`, or unset CIM_SCHEDULER to work on this machine'
    ) from error

_CONNECT_SECONDS = 10.0
_TURN_SECONDS = 0.2
_AHEAD = 2
"""Batches under way for each thread of the cluster: one being done, one waiting beside it."""

_KEPT = 2
"""Openers a Dask worker keeps that no batch is using; each holds an opened file in memory."""


@dataclass(frozen=True, slots=True)
class _Order:
    """What every batch of one stream has in common."""

    id: str
    version: str
    make_task: MakeTask
    arguments: tuple[Any, ...]
    limits: Limits


def stream(
    make_task: MakeTask,
    arguments: tuple[Any, ...],
    batches: Sequence[Sequence[str]],
    limits: Limits,
    scheduler: str,
    ask: Ask,
) -> Iterator[tuple[str, Any]]:
    """Do every batch on the cluster; yields (item, result), every item once.

    Raises what `ask` raises, and `MissingDependency` when the scheduler cannot be reached, when it
    has no worker for as long as one item may take, or when its workers cannot do the work.
    """
    order = _Order(secrets.token_hex(8), __version__, make_task, arguments, limits)
    with _connected(scheduler) as client:
        try:
            suspects = yield from _done_by(client, order, batches, ask)
            # A lost worker took all its batches with it; whose fault it was shows when each item
            # is tried with nothing beside it.
            for item in suspects:
                if (yield from _done_by(client, order, [[item]], ask)):
                    yield item, Failure("every worker of the cluster that tried it was lost")
        except (CancelledError, OSError) as error:
            raise MissingDependency(
                f"the Dask scheduler {scheduler} was lost; start it, then try again"
            ) from error
        finally:
            if client.status == "running":
                with suppress(OSError):  # a scheduler that was lost has nothing to forget
                    client.run(forget, order.id, wait=False, on_error="ignore")


def _done_by(
    client: Client, order: _Order, batches: Iterable[Sequence[str]], ask: Ask
) -> Generator[tuple[str, Any], None, list[str]]:
    """Do batches; returns the items of those with which Dask workers were lost too often."""
    queue = deque(list(batch) for batch in batches if batch)
    running: dict[Future[bytes], list[str]] = {}
    suspects: list[str] = []
    seen = time.monotonic()
    try:
        while queue or running:
            ask()
            threads = sum(client.nthreads().values())
            if threads:
                seen = time.monotonic()
            elif time.monotonic() - seen > order.limits.seconds:
                raise MissingDependency(
                    "the Dask scheduler of CIM_SCHEDULER has no workers; start some with `dask "
                    "worker`, then try again"
                )
            while queue and len(running) < _AHEAD * threads:
                batch = queue.popleft()
                running[client.submit(do_batch, order, batch, pure=False)] = batch
            for future in _ended(client, running):
                batch = running.pop(future)
                error = future.exception() if future.status == "error" else None
                if error is None:
                    yield from pickle.loads(future.result())
                elif isinstance(error, KilledWorker):
                    suspects += batch
                else:
                    raise _explained(error)
    finally:
        if running and client.status == "running":
            client.cancel(list(running), force=True)
    return suspects


def _ended(client: Client, running: Collection[Future[bytes]]) -> Collection[Future[bytes]]:
    """Those that have ended, after waiting a little for one."""
    if not running:
        time.sleep(_TURN_SECONDS)
        return ()
    with client.as_current(), suppress(TimeoutError):
        ended: Collection[Future[bytes]] = wait(
            list(running), timeout=_TURN_SECONDS, return_when="FIRST_COMPLETED"
        ).done
        return ended
    return ()


def _explained(error: BaseException) -> CimError:
    """What a Dask worker could not do at all, unlike an item it could not do."""
    if isinstance(error, CimError):
        return error
    explained = MissingDependency(
        f"a worker of the cluster cannot do the work ({error}); give it the same cim-twin as here "
        "and the same files under the same paths"
    )
    explained.__cause__ = error
    return explained


@contextmanager
def _connected(scheduler: str) -> Iterator[Client]:
    try:
        client = Client(scheduler, set_as_default=False, timeout=_CONNECT_SECONDS)
    except OSError as error:
        raise MissingDependency(
            f"the Dask scheduler {scheduler} cannot be reached; start it, or unset CIM_SCHEDULER to "
            "work on this machine"
        ) from error
    with client:
        yield client


# From here on: what Dask workers do.


class _Kept:
    """An opener that outlives a batch."""

    def __init__(self, order: _Order) -> None:
        self.opener = Opener(order.make_task, order.arguments, order.limits)
        self.users = 0
        self.unwanted = False

    def ask(self) -> None:
        if self.unwanted:
            raise Cancelled("nobody waits for this work any more")


_kept: OrderedDict[str, _Kept] = OrderedDict()
_lock = threading.Lock()


def do_batch(order: _Order, batch: list[str]) -> bytes:
    """Do a batch in a process of this machine; the pickled list of (item, result)."""
    if order.version != __version__:
        raise MissingDependency(
            f"a worker of the cluster has cim-twin {__version__}, not {order.version}; install the "
            "same everywhere"
        )
    with _borrowed(order) as kept:
        return pickle.dumps(list(work_off(kept.opener, [batch], 1, kept.ask)))


async def forget(order_id: str) -> None:
    """Close what was opened for an order that nobody waits for any more."""
    await asyncio.to_thread(_forget, order_id)


def _forget(order_id: str) -> None:
    with _lock:
        kept = _kept.pop(order_id, None)
        if kept is not None:
            kept.unwanted = True
            if kept.users == 0:
                kept.opener.close()


@contextmanager
def _borrowed(order: _Order) -> Iterator[_Kept]:
    with _lock:
        kept = _kept.pop(order.id, None) or _Kept(order)
        _kept[order.id] = kept
        kept.users += 1
    try:
        yield kept
    finally:
        with _lock:
            kept.users -= 1
            if kept.unwanted and kept.users == 0:
                kept.opener.close()
        _close_oldest()


def _close_oldest() -> None:
    """An order whose giver died is never forgotten by it: keep only the latest few."""
    with _lock:
        idle = [order_id for order_id, kept in _kept.items() if kept.users == 0]
        for order_id in idle[:-_KEPT]:
            _kept.pop(order_id).opener.close()
