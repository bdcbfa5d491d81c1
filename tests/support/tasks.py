"""Tasks for worker processes, some of them bad."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from cim_core.work import Task


def make_squares(poison: str) -> Task:
    """Squares of the items' lengths; "bad" items misbehave as `poison` says."""
    count = 0

    def task(batch: Sequence[str]) -> Iterator[tuple[str, int]]:
        nonlocal count
        for item in batch:
            if item.startswith("bad"):
                _misbehave(poison)
                continue
            count += 1
            yield item, len(item) ** 2

    return task


def _misbehave(poison: str) -> None:
    match poison:
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "killer":
            grandparent = int(Path(f"/proc/{os.getppid()}/stat").read_text().split()[3])
            assert "dask_worker" in Path(f"/proc/{grandparent}/cmdline").read_text()
            os.kill(grandparent, signal.SIGKILL)
        case "sleep":
            time.sleep(60)
        case "memory":
            held = []
            while True:
                held.append(bytearray(50 << 20))
        case "exit":
            os._exit(3)
        case "silence":
            return


def make_diary(path: str) -> Task:
    """Notes who opens it; each item's result is (pid, that one's pid), after a wait if it says so."""
    opener = os.getpid()
    with open(path, "a") as diary:  # noqa: PTH123 -- appending in one write, whoever else does
        diary.write(f"{os.getpid()}\n")

    def task(batch: Sequence[str]) -> Iterator[tuple[str, tuple[int, int]]]:
        for item in batch:
            if item.startswith("wait"):
                time.sleep(0.1)
            elif item == "sleep":
                time.sleep(60)
            elif item == "crash":
                _misbehave("crash")
            yield item, (os.getpid(), opener)

    return task


def make_printer() -> Task:
    """A task that writes to fd 1, as a library would."""

    def task(batch: Sequence[str]) -> Iterator[tuple[str, int]]:
        for item in batch:
            os.write(1, b"debug text\n")
            yield item, 1

    return task


def make_nothing() -> Task:
    """Fails before any item."""
    raise ValueError("this task cannot be made")
