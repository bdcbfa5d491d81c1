"""Those who wait to hear what became of what they sent, observations or traffic."""

import asyncio
import concurrent.futures
import contextlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from cim_core.store.live_dead import Reason
from server.sifting import Letter

A = TypeVar("A")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of what somebody sent, once it is on disk.

    letters
        The rows that were not believed, with the reason; they are dead letters now.
    """

    accepted: int
    duplicates: int
    letters: tuple[Letter, ...] = ()

    @property
    def dead(self) -> Mapping[Reason, int]:
        """How many rows were not believed, by reason."""
        return Counter(letter.reason for letter in self.letters)


@dataclass(frozen=True, slots=True)
class Waiting(Generic[A, R]):
    """Somebody who gave something, and where they wait: in an event loop, or in a thread of their own."""

    asked: A
    future: "concurrent.futures.Future[R] | asyncio.Future[R]"
    loop: asyncio.AbstractEventLoop | None


def answer(together: Sequence[Waiting[A, R]], answers: Sequence[R | Exception]) -> None:
    """Tell everybody who waits; one call into each event loop, however many wait there."""
    of_loops: dict[asyncio.AbstractEventLoop, list[tuple[Waiting[A, R], R | Exception]]]
    of_loops = defaultdict(list)
    for waiting, answer in zip(together, answers, strict=True):
        if waiting.loop is None:
            _resolve([(waiting, answer)])
        else:
            of_loops[waiting.loop].append((waiting, answer))
    for loop, some in of_loops.items():
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it who waited there
            loop.call_soon_threadsafe(_resolve, some)


def _resolve(some: list[tuple[Waiting[A, R], R | Exception]]) -> None:
    for waiting, answer in some:
        if waiting.future.done():  # who waited has gone
            continue
        if isinstance(answer, Exception):
            waiting.future.set_exception(answer)
        else:
            waiting.future.set_result(answer)
