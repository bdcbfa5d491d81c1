"""Work in processes of this machine, which may die without taking the job along.

What these processes do themselves is in `cim_core.forks`.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import recv_handle
from typing import Any

from cim_core.crew import Failure, Limits, MakeTask

Ask = Callable[[], None]
"""Called again and again while work is waited for; raises when it is no longer wanted."""

_TURN_SECONDS = 0.2
_OPENING = 10
"""How many times as long as one item it may take to open what all items need."""

_STARTS = 3
"""How often an opener may be started for one order; the system may kill it for want of memory."""

_END_SECONDS = 10.0


class _Lost(Exception):
    """The opener is gone, and its workers with it."""


@dataclass(slots=True)
class _Worker:
    """A process that does one batch after the other."""

    pid: int
    pipe: Connection
    pending: list[str] = field(default_factory=list)
    busy: bool = False  # it has a batch and has not said that it is through with it
    alone: bool = False  # that batch is a single item
    dead: bool = False
    heard: float = 0.0

    def give(self, batch: list[str]) -> None:
        self.pending, self.busy, self.alone = list(batch), True, len(batch) == 1
        self.heard = time.monotonic()
        with contextlib.suppress(BrokenPipeError):  # its death will be heard
            self.pipe.send(batch)

    def hear(self, queue: deque[list[str]]) -> Iterator[tuple[str, Any]]:
        try:
            answer = self.pipe.recv()
        except (EOFError, OSError):
            self.dead = True
            return
        self.heard = time.monotonic()
        if answer is None:
            # Items the task passed over in silence are tried once more, alone, to learn why.
            reason = "the geometry kernel made nothing of it" if self.alone else None
            yield from self.leave(queue, reason)
        elif answer[0] in self.pending:
            self.pending.remove(answer[0])
            yield answer

    def leave(self, queue: deque[list[str]], reason: str | None) -> Iterator[tuple[str, Failure]]:
        """Give up the items still pending: one alone for that reason, others to be tried again."""
        rest, self.pending, self.busy = self.pending, [], False
        if reason is not None and len(rest) == 1:
            yield rest[0], Failure(reason)
        else:
            queue.extend([item] for item in rest)


class Opener:
    """A process that opens what a task needs once, and then forks workers that have it too.

    It is a fresh interpreter at the end of a socket, not `multiprocessing.Process`: that would run
    the caller's main module again. It starts when the first worker is asked for, and again when it
    was lost. Threads may share it.
    """

    def __init__(self, make_task: MakeTask, arguments: tuple[Any, ...], limits: Limits) -> None:
        self.limits = limits
        self._order = (make_task, arguments, limits.memory)
        self._door: Connection | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self._lock = threading.Lock()

    def fork(self, ask: Ask) -> _Worker:
        """A new worker; raises what `make_task` raised."""
        with self._lock:
            while True:
                with contextlib.suppress(_Lost):
                    self._open(ask)
                    with self._dialog() as door:
                        door.send(None)
                        return _Worker(door.recv(), Connection(recv_handle(door)))

    def end(self, worker: _Worker) -> int | None:
        """End a worker; its exit code or minus its signal, None when its opener went with it."""
        worker.pipe.close()
        with self._lock:
            if self._door is None:
                return None
            try:
                with self._dialog() as door:
                    door.send(worker.pid)
                    code: int | None = door.recv()
                    return code
            except _Lost:
                return None

    def close(self) -> None:
        """End the opener and all its workers."""
        with self._lock:
            if self._door is not None and self._process is not None:
                self._door.close()  # it will see that, kill its workers and end
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(_END_SECONDS)
                self._drop()

    def _open(self, ask: Ask) -> None:
        if self._door is not None:
            return
        if self._starts == _STARTS:
            raise RuntimeError(f"the process that opens the work was lost {_STARTS} times")
        self._starts += 1
        ours, theirs = socket.socketpair()
        self._door = Connection(ours.detach())
        with theirs:
            self._process = _started(theirs.fileno())
        last = time.monotonic() + _OPENING * self.limits.seconds
        with self._dialog() as door:
            door.send(self._order)
            while not door.poll(_TURN_SECONDS):
                ask()
                if time.monotonic() > last:
                    raise RuntimeError("it takes too long to open what the work needs")
            broken: Exception | None = door.recv()
        if broken is not None:
            self._drop()
            raise broken

    @contextlib.contextmanager
    def _dialog(self) -> Iterator[Connection]:
        """Talk to the opener; one that was interrupted would give the next its late answer."""
        assert self._door is not None
        try:
            yield self._door
        except (EOFError, OSError) as error:
            self._drop()
            raise _Lost from error
        except BaseException:
            self._drop()
            raise

    def _drop(self) -> None:
        assert self._door is not None
        assert self._process is not None
        self._door.close()
        self._process.kill()
        self._process.wait()
        self._door = self._process = None


def _started(descriptor: int) -> subprocess.Popen[bytes]:
    """A fresh interpreter that serves at a descriptor, and dies with this process.

    The system takes the thread that starts a process for its parent, so that thread stays with it.
    """
    program = f"import cim_core.forks as f; f.serve({descriptor}, {os.getpid()})"
    started: Future[subprocess.Popen[bytes]] = Future()

    def start() -> None:
        try:
            process = subprocess.Popen(
                [sys.executable, "-c", program],
                pass_fds=[descriptor],
                stdin=subprocess.DEVNULL,
                stdout=2,  # libraries print debug text, and fd 1 belongs to results
                env={
                    **os.environ,
                    "OPENBLAS_NUM_THREADS": "1",  # NumPy's threads would not survive a fork
                    "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                },
            )
        except OSError as error:
            started.set_exception(error)
        else:
            started.set_result(process)
            process.wait()

    threading.Thread(target=start, name="opener", daemon=True).start()
    return started.result()


def work_off(
    opener: Opener, batches: Iterable[Sequence[str]], workers: int, ask: Ask
) -> Iterator[tuple[str, Any]]:
    """Do every batch, in as many as `workers` processes at a time.

    Yields (item, result) in the order of completion, every item once. Raises what making the task
    raised, what `ask` raises, and `RuntimeError` when the opener is lost again and again.
    """
    queue = deque(list(batch) for batch in batches if batch)
    gang: list[_Worker] = []
    killed: set[str] = set()
    try:
        while queue or any(worker.busy for worker in gang):
            for worker in gang:
                if queue and not worker.busy:
                    worker.give(queue.popleft())
            while queue and len(gang) < workers:
                gang.append(opener.fork(ask))
                gang[-1].give(queue.popleft())
            ask()
            readable = wait([worker.pipe for worker in gang], timeout=_TURN_SECONDS)
            for worker in list(gang):
                if worker.pipe in readable:
                    yield from worker.hear(queue)
                silent = time.monotonic() - worker.heard > opener.limits.seconds
                # The one who takes the answers may have been slow, not the worker.
                late = worker.busy and silent and not worker.pipe.poll()
                if worker.dead or late:
                    gang.remove(worker)
                    reason = _reason(opener.end(worker), worker.pending, killed)
                    if late:
                        reason = f"its geometry took more than {opener.limits.seconds:g} s"
                    yield from worker.leave(queue, reason)
    finally:
        for worker in gang:
            opener.end(worker)


def _reason(code: int | None, pending: list[str], killed: set[str]) -> str | None:
    """Why a worker died on its items; None when that says nothing of them."""
    if code is None:
        return None  # with its opener
    if code == -signal.SIGKILL and not killed.issuperset(pending):
        killed.update(pending)
        return None  # by the system or an operator, which may have meant another
    if code < 0:
        return f"it crashed the geometry kernel (signal {-code})"
    return f"it ended the geometry worker (exit code {code})"
