"""A run of a program as a whole: its CPU time, its wall time, its peak memory. Linux only."""

import contextlib
import ctypes
import os
import re
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import ROOT

_SAMPLE_SECONDS = 0.1
_LIMIT_SECONDS = 3 * 3600.0
_SET_CHILD_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of <sys/prctl.h>


@dataclass(frozen=True, slots=True)
class Run:
    """What a program cost.

    cpu
        Seconds, user and system, of the program and of all processes it started.
    wall
        Seconds.
    memory
        Bytes at the peak: the sum over its processes of the proportional set size (memory that
        several share counts once), sampled; at least the largest resident set of one of them.
    code, log
        Its exit code and the end of what it printed as errors.
    """

    cpu: float
    wall: float
    memory: int
    code: int
    log: str


def run(command: Sequence[str | Path], folder: Path) -> Run:
    """Run a command in the root of the checkout; what it prints goes to `folder`/stdout, stderr."""
    # Processes that outlive their parent become ours, so that their time is counted too.
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    before, begin = _children(), time.perf_counter()
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        process = subprocess.Popen(
            [str(part) for part in command], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out,
            stderr=err, start_new_session=True,
        )  # fmt: skip
    limit = threading.Timer(_LIMIT_SECONDS, _end, (process.pid,))
    limit.start()
    try:
        with _sampled(process.pid) as samples:
            code = process.wait()
        wall = time.perf_counter() - begin
    finally:
        limit.cancel()
        _end(process.pid)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    log = (folder / "stderr").read_text(errors="replace").strip().splitlines()
    return Run(_children() - before, wall, max(samples), code, "\n".join(log[-3:]))


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _end(session: int) -> None:
    """End what is left of a program we started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(session, signal.SIGKILL)


@contextlib.contextmanager
def _sampled(session: int) -> Iterator[list[int]]:
    """The memory of a session again and again while the block runs."""
    samples, done = [0], threading.Event()

    def sample() -> None:
        while not done.wait(_SAMPLE_SECONDS):
            samples.append(1024 * _kilobytes(session))

    thread = threading.Thread(target=sample, name="memory")
    thread.start()
    try:
        yield samples
    finally:
        done.set()
        thread.join()


def _kilobytes(session: int) -> int:
    total = largest = 0
    for process in Path("/proc").iterdir():
        # A process may end while it is looked at.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            if not process.name.isdigit():
                continue
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                status = (process / "status").read_text()
                largest = max(largest, _entry("VmHWM", status))
                total += _entry("Pss", (process / "smaps_rollup").read_text())
    return max(total, largest)


def _entry(name: str, text: str) -> int:
    """A line of the kernel's about a process, kB; 0 where it has none, as at its end."""
    found = re.search(rf"^{name}:\s*(\d+)", text, re.MULTILINE)
    return int(found[1]) if found else 0
