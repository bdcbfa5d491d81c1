"""A Dask cluster of real processes on this machine."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0
_SOONER = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
"""A task is given up when two workers were lost with it, not four: tests start fewer workers."""


class DaskCluster:
    """A scheduler and workers without a nanny: one that is killed stays dead."""

    def __init__(self, folder: Path, workers: int, threads: int = 1) -> None:
        self.folder = folder
        self._log = (folder / "dask.log").open("ab")
        self._file = folder / "scheduler.json"
        self.scheduler = self._start(
            "dask_scheduler", "--port", "0", "--scheduler-file", str(self._file)
        )
        self._eventually(lambda: self._file.is_file() and self._file.read_text().endswith("}"))
        self.address = str(json.loads(self._file.read_text())["address"])
        self.threads = threads
        self.workers = [self.add_worker() for _ in range(workers)]
        self._eventually(lambda: self.log().count("Register worker addr") == workers)

    def add_worker(self) -> subprocess.Popen[bytes]:
        return self._start(
            "dask_worker", self.address, "--no-nanny", "--nthreads", str(self.threads),
            "--local-directory", str(self.folder),
        )  # fmt: skip

    def kill(self, worker: int) -> None:
        """As `kill -9` does."""
        self.workers[worker].kill()
        self.workers[worker].wait()

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        self._log.close()

    def log(self) -> str:
        return (self.folder / "dask.log").read_text()

    def _eventually(self, true: Callable[[], bool]) -> None:
        last = time.monotonic() + START_SECONDS
        while not true():
            assert time.monotonic() < last, self.log()
            time.sleep(0.05)

    def _start(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                sys.executable, "-m", f"distributed.cli.{program}",
                "--host", "127.0.0.1", "--no-dashboard", *arguments,
            ],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
            env={**os.environ, **_SOONER, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
