"""Processes of `cim` that are forked from one which has imported the server already.

From there on they do what `python -m server` does. To get there takes seconds of a processor, and
the tests start some hundred servers and commands. That these start afresh as well is seen in
`test_kill`, `test_cli`, `test_cli_audit`, `test_listening` and `test_things_import`.
"""

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]

_context = multiprocessing.get_context("forkserver")
# Not the commands: each console of theirs looks at the terminal there is when it is made.
_context.set_forkserver_preload(
    [__name__, "server.serve", "rich.logging", "rich.markdown", "rich.traceback", "typer.rich_utils"]
)  # fmt: skip


class Warm:
    """A process of `cim`, to be asked and ended like one of `subprocess`."""

    def __init__(self, arguments: list[str], out: Path, err: Path, **settings: str) -> None:
        environment = {**os.environ, "COLUMNS": "200", **settings}
        given = (arguments, str(out), str(err), environment)
        # A daemon ends with the tests, should one of them forget it.
        self._process = _context.Process(target=_cim, args=given, daemon=True)
        self._process.start()
        self.pid: int = self._process.pid
        self.kill: Callable[[], None] = self._process.kill

    def poll(self) -> int | None:
        """Its exit code, or minus the signal that ended it; None while it runs."""
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        """Nothing happens if it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, or minus the signal, once it has ended."""
        self._process.join(timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("cim", timeout or 0)
        return code


def _cim(arguments: list[str], out: str, err: str, environment: dict[str, str]) -> None:
    """The life of such a process."""
    for descriptor, path in ((1, out), (2, err)):
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.dup2(file, descriptor)
        os.close(file)
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["cim", *arguments]
    from server.cli import main

    main()


def cim(*arguments: object, **settings: str) -> subprocess.CompletedProcess[str]:
    """What a command says, where, and the code it ends with."""
    words = [str(argument) for argument in arguments]
    with TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        code = Warm(words, out, err, **settings).wait()
        return subprocess.CompletedProcess(words, code, out.read_text(), err.read_text())
