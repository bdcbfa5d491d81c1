"""The one door for parallel work: worker processes that may die without taking the job along.

A task is a plain function `task(batch) -> iterator of (item, result)`: it answers item by item, so
that the door knows which item it is on. An item that takes too long, needs too much memory or
crashes its worker fails alone; the others of its batch are done again one by one.
"""

import contextlib
import ctypes
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

Task = Callable[[Sequence[str]], Iterator[tuple[str, Any]]]
MakeTask = Callable[..., Task]


_START_SECONDS = 300.0
"""How long a worker may take to open what it needs; a very large file opens in minutes."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An item that could not be done, and why, in words that end a sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What one item may cost: seconds, and bytes of memory on top of an idle worker."""

    seconds: float = 120.0
    memory: int = 4 << 30


class _Worker:
    """A fresh interpreter at the other end of a socket.

    Not `multiprocessing.Process`: that would run the caller's main module again in every worker.
    """

    def __init__(self, make_task: MakeTask, arguments: tuple[Any, ...], memory: int) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    f"from cim_core.work import serve; serve({theirs.fileno()})",
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=2,  # libraries print debug text, and fd 1 belongs to results
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                },
            )
        self.pipe = Connection(ours.detach())
        self.pipe.send((make_task, arguments, memory))
        self.pending: list[str] = []
        self.heard = time.monotonic()
        self.ready = False  # it has opened what it needs
        self.busy = False  # it has a batch and has not said that it is through with it

    def give(self, batch: list[str]) -> None:
        self.pending, self.busy = list(batch), True
        self.heard = time.monotonic()
        self.pipe.send(batch)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self.pipe.close()


def stream(
    make_task: MakeTask,
    arguments: tuple[Any, ...],
    batches: Sequence[Sequence[str]],
    *,
    workers: int | None = None,
    limits: Limits | None = None,
) -> Iterator[tuple[str, Any]]:
    """Do `make_task(*arguments)` once in each worker, then the task on every batch of items.

    Yields (item, result) in the order of completion, every item of every batch exactly once; the
    result is a `Failure` where an item could not be done. Both `make_task` and its arguments must
    be picklable. Closing the iterator ends the workers.
    """
    limits = limits or Limits()
    queue = deque(list(batch) for batch in batches if batch)
    count = max(1, min(workers or available_cores(), len(queue)))
    crew = [_Worker(make_task, arguments, limits.memory) for _ in range(count)] if queue else []
    try:
        while queue or any(worker.busy for worker in crew):
            for worker in crew:
                if queue and worker.ready and not worker.busy:
                    worker.give(queue.popleft())
            readable = wait([worker.pipe for worker in crew], timeout=0.2)
            for index, worker in enumerate(crew):
                if worker.pipe in readable:
                    try:
                        yield from _listen(worker, queue)
                        continue
                    except (EOFError, OSError):
                        reason = _epitaph(worker.process.wait())
                elif worker.busy and time.monotonic() - worker.heard > limits.seconds:
                    reason = f"its geometry took more than {limits.seconds:g} s"
                elif not worker.ready and time.monotonic() - worker.heard > _START_SECONDS:
                    reason = "its worker did not start"
                else:
                    continue
                yield from _bury(worker, queue, reason)
                crew[index] = _Worker(make_task, arguments, limits.memory)
    finally:
        for worker in crew:
            worker.stop()


def available_cores() -> int:
    """The processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _listen(worker: _Worker, queue: deque[list[str]]) -> Iterator[tuple[str, Any]]:
    kind, payload = worker.pipe.recv()
    worker.heard = time.monotonic()
    if kind == "ready":
        worker.ready = True
    elif kind == "broken":
        raise payload
    elif kind == "result":
        item, result = payload
        if item in worker.pending:
            worker.pending.remove(item)
            yield item, result
    else:
        # Items the task passed over in silence are tried once more, alone, to learn why.
        rest, worker.pending, worker.busy = worker.pending, [], False
        if payload == 1 and rest:
            yield rest[0], Failure("the geometry kernel made nothing of it")
        else:
            queue.extend([item] for item in rest)


def _bury(worker: _Worker, queue: deque[list[str]], reason: str) -> Iterator[tuple[str, Any]]:
    worker.stop()
    if not worker.ready:
        raise RuntimeError(f"a worker process could not start: {reason}")
    if len(worker.pending) == 1:
        yield worker.pending[0], Failure(reason)
    else:
        queue.extend([item] for item in worker.pending)


def _epitaph(exitcode: int) -> str:
    if exitcode < 0:
        return f"it crashed the geometry kernel (signal {-exitcode})"
    return f"it ended the geometry worker (exit code {exitcode})"


def serve(descriptor: int) -> None:
    """The life of a worker process: told once what to do, then given batches until the end."""
    _die_with_parent()
    pipe = Connection(descriptor)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            make_task, arguments, memory = pipe.recv()
            task = make_task(*arguments)
        except Exception as error:
            pipe.send(("broken", error))
            return
        _limit_memory(memory)
        pipe.send(("ready", None))
        while True:
            batch = pipe.recv()
            for answer in task(batch):
                pipe.send(("result", answer))
            pipe.send(("done", len(batch)))


def _die_with_parent() -> None:
    """A worker stuck in the kernel would not notice that nobody wants its answer any more."""
    if sys.platform == "linux":
        set_parent_death_signal = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


def _limit_memory(memory: int) -> None:
    if sys.platform != "linux":
        return
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + memory, resource.RLIM_INFINITY))
