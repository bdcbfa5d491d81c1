"""Many who send, one thread that writes: what waits together goes into one transaction, and is answered then.

So a disk that takes 10 ms to say that it has something holds up nobody who comes after.
"""

import asyncio
import concurrent.futures
import contextlib
import logging
import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from cim_core.errors import CimError, StorageFailed, TooMany
from server.settings import Settings

_ROWS_TOGETHER = 20_000
"""What goes into one transaction, unless a single request is more."""

RETRY_SECONDS = 1.0
"""After this who was refused for want of room may come again."""

_log = logging.getLogger(__name__)

A = TypeVar("A")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[A, R]):
    """Somebody who gave something, and where they wait: in an event loop, or in a thread of their own."""

    asked: A
    future: "concurrent.futures.Future[R] | asyncio.Future[R]"
    loop: asyncio.AbstractEventLoop | None


class GroupCommit(ABC, Generic[A, R]):
    """Takes what is given, has it written by its own thread, and answers when that is on disk.

    spent
        CPU seconds by stage.
    """

    file: ClassVar[str]
    """What is written to, as those are told whose rows it does not take."""
    gather: ClassVar[float] = 0.0
    """Seconds from the beginning of a transaction for which what comes waits for the next one."""
    tick: ClassVar[float | None] = None
    """Seconds after which there is something to do though nothing came."""

    def __init__(self, settings: Settings) -> None:
        self._most_rows = settings.record_queue_rows
        self._most_bytes = settings.record_queue_bytes
        self._queue: deque[_Waiting[A, R]] = deque()
        self._rows = self._bytes = 0
        self._ready = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self.spent: dict[str, float] = defaultdict(float)

    @abstractmethod
    def _written(self, asked: list[A]) -> Sequence[R]:
        """Write what several gave in one transaction; the answer to each."""

    @abstractmethod
    def _size(self, asked: A) -> int:
        """How many rows somebody gave."""

    @abstractmethod
    def _full(self) -> TooMany:
        """What those are told who come while too much waits already."""

    def _ticked(self) -> None:
        """What is to do after each `tick`."""

    def start(self) -> None:
        """Begin to write what arrives."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=type(self).__name__, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end."""
        with self._ready:
            self._stopping = True
            self._ready.notify()
        if self._thread is not None:
            self._thread.join()

    @contextlib.contextmanager
    def room(self, size: int = 0) -> Iterator[Callable[[int], None]]:
        """Keep room for so many bytes from before they are read until they are answered.

        What is given keeps room for more. Both raise `TooMany` where there is none.
        """
        held = 0

        def more(size: int) -> None:
            nonlocal held
            with self._ready:
                others = self._bytes > held
                if others and self._bytes + size > self._most_bytes:
                    raise self._full()
                self._bytes += size
                held += size

        try:
            more(size)
            yield more
        finally:
            with self._ready:
                self._bytes -= held

    async def record(self, asked: A) -> R:
        """Keep what somebody gave; answers when it is on disk.

        Raises `TooMany` where too much waits already, `StorageFailed` where the disk does not take it:
        then nothing of it is kept.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self._put(_Waiting(asked, future, loop))
        return await future

    def submit(self, asked: A) -> "concurrent.futures.Future[R]":
        """The same from any thread."""
        future: concurrent.futures.Future[R] = concurrent.futures.Future()
        self._put(_Waiting(asked, future, None))
        return future

    def _put(self, waiting: _Waiting[A, R]) -> None:
        rows = self._counted(waiting)
        with self._ready:
            full = self._rows and self._rows + rows > self._most_rows
            if full or self._stopping:
                raise self._full()
            self.start()
            self._rows += rows
            self._queue.append(waiting)
            self._ready.notify()

    def _counted(self, waiting: _Waiting[A, R]) -> int:
        """For how many rows something counts that waits.

        A log may have more than may wait at all. It counts for half of them, or it would come in only
        where nothing waits, which under load is never; its bytes are bounded by `room`.
        """
        return min(self._size(waiting.asked), -(-self._most_rows // 2))

    def _run(self) -> None:
        ready = 0.0  # when the next transaction may begin
        due = 0.0 if self.tick is not None else float("inf")
        while True:
            with self._ready:
                while not self._queue and not self._stopping and time.monotonic() < due:
                    self._ready.wait(max(0.0, due - time.monotonic()) if self.tick else None)
                while self._queue and self._rows < _ROWS_TOGETHER and not self._stopping:
                    left = ready - time.monotonic()
                    if left <= 0:
                        break
                    self._ready.wait(left)
                if not self._queue and self._stopping:
                    return
                together = self._taken()
            ready = time.monotonic() + self.gather
            if together:
                self._commit(together)
            if self.tick is not None and time.monotonic() >= due:
                due = time.monotonic() + self.tick
                self._ticked()

    def _taken(self) -> list[_Waiting[A, R]]:
        """The first who wait, as many as go into one transaction."""
        together: list[_Waiting[A, R]] = []
        rows = 0
        while self._queue:
            more = self._size(self._queue[0].asked)
            if together and rows + more > _ROWS_TOGETHER:
                break
            rows += more
            together.append(self._queue.popleft())
        self._rows -= sum(map(self._counted, together))
        return together

    def _commit(self, together: list[_Waiting[A, R]]) -> None:
        """Write what several gave; where that fails for a reason of their own, one by one."""
        try:
            answers: Sequence[R | Exception] = self._written([one.asked for one in together])
        except Exception as error:  # noqa: BLE001 – whatever it is, who waits is told
            failed = self._failure(error)
            if len(together) > 1 and not isinstance(failed, StorageFailed):
                for one in together:
                    self._commit([one])
                return
            if not isinstance(failed, CimError):
                _log.error("what was sent could not be recorded", exc_info=error)
            answers = [failed] * len(together)
        _answer(together, answers)

    def _failure(self, error: Exception) -> Exception:
        """What those are told whose rows could not be written."""
        if isinstance(error, sqlite3.OperationalError | sqlite3.DatabaseError | OSError):
            return StorageFailed(
                f"what was sent could not be written ({error}), and nothing of it is kept; free space "
                f"or correct the permissions of {self.file}, and send it again"
            )
        return error

    def _spent(self, stage: str, begun: float) -> float:
        now = time.thread_time()
        self.spent[stage] += now - begun
        return now


def _answer(together: Sequence[_Waiting[A, R]], answers: Sequence[R | Exception]) -> None:
    """Tell everybody who waits; one call into each event loop, however many wait there."""
    of_loops: dict[asyncio.AbstractEventLoop, list[tuple[_Waiting[A, R], R | Exception]]]
    of_loops = defaultdict(list)
    for waiting, answer in zip(together, answers, strict=True):
        if waiting.loop is None:
            _resolve([(waiting, answer)])
        else:
            of_loops[waiting.loop].append((waiting, answer))
    for loop, some in of_loops.items():
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it who waited there
            loop.call_soon_threadsafe(_resolve, some)


def _resolve(some: list[tuple[_Waiting[A, R], R | Exception]]) -> None:
    for waiting, answer in some:
        if waiting.future.done():  # who waited has gone
            continue
        if isinstance(answer, Exception):
            waiting.future.set_exception(answer)
        else:
            waiting.future.set_result(answer)
