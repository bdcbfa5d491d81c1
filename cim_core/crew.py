"""What a task is, what one item of it may cost, and with what means it is done."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Task = Callable[[Sequence[str]], Iterator[tuple[str, Any]]]
"""Does a batch of items: answers item by item, so that it is known which one it is on."""

MakeTask = Callable[..., Task]
"""Opens what a task needs, and returns the task."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An item that could not be done, and why, in words that end a sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What one item may cost: seconds, and bytes of memory on top of an idle worker."""

    seconds: float = 120.0
    memory: int = 4 << 30


@dataclass(frozen=True, slots=True)
class Crew:
    """With what means work is done.

    workers
        Processes of this machine; None takes one for each core.
    limits
        What one item may cost.
    scheduler
        The address of a Dask cluster that shares this machine's files, tcp://host:port; None does
        the work here.
    """

    workers: int | None = None
    limits: Limits = Limits()
    scheduler: str | None = None


def available_cores() -> int:
    """The processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
