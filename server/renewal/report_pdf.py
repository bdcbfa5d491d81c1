"""A Word document as PDF, by LibreOffice in a process of its own.

One at a time: each takes a processor and some hundred megabytes for a few seconds.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import BoundedSemaphore, Lock

from cim_core.errors import MissingDependency, TooMany
from server.bounds import without_secrets

PROGRAM = "soffice"
_SECONDS = 120.0
"""For one document."""
_PATIENCE = 30.0
"""Seconds that a request waits for its turn."""
_MEMORY = 2 << 30
"""Bytes one conversion may take."""
_ARGUMENTS = (
    "--headless", "--norestore", "--nolockcheck", "--nodefault", "--convert-to",
    "pdf:writer_pdf_Export",
)  # fmt: skip
_BOUNDED = (
    "import os, sys; from server.bounds import bound_process; bound_process(int(sys.argv[1])); "
    "os.execvp(sys.argv[2], sys.argv[2:])"
)

_FONTS = Path(__file__).with_name("letter_fonts.conf")

_turn = Lock()
_queue = BoundedSemaphore(3)
"""One at work and two that wait: each that waits keeps a thread from answering others."""
_waiting = BoundedSemaphore(3)
"""For who has the turn and two who wait for it: each of them holds a thread of the server."""


def as_pdf(letter: bytes) -> bytes:
    """A .docx as PDF. Raises `MissingDependency` without LibreOffice, `TooMany` while it is busy."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise MissingDependency(
            "this machine has no LibreOffice, which makes the PDF; install libreoffice-writer-nogui, "
            "or ask for docx"
        )
    if not _waiting.acquire(blocking=False):
        raise _busy()
    try:
        if not _turn.acquire(timeout=_PATIENCE):
            raise _busy()
        try:
            with tempfile.TemporaryDirectory(prefix="cim-letter-") as folder:
                return _converted(program, Path(folder), letter)
        finally:
            _turn.release()
    finally:
        _waiting.release()


def _busy() -> TooMany:
    return TooMany("other reports are being made into PDF; ask again in a moment", _PATIENCE)


def _converted(program: str, folder: Path, letter: bytes) -> bytes:
    source = folder / "letter.docx"
    source.write_bytes(letter)
    process = subprocess.Popen(
        [
            sys.executable, "-c", _BOUNDED, str(_MEMORY), program,
            f"-env:UserInstallation={(folder / 'profile').as_uri()}", *_ARGUMENTS,
            "--outdir", str(folder), str(source),
        ],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={
            **without_secrets(os.environ), "HOME": str(folder), "TMPDIR": str(folder),
            "FONTCONFIG_FILE": str(_FONTS), "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        },
        start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = process.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        said = b"it took too long"
    finally:
        with suppress(ProcessLookupError):  # a script, a launcher and the program itself
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    made = source.with_suffix(".pdf")
    if not made.is_file():
        raise MissingDependency(
            f"LibreOffice did not make a PDF of the report ({said.decode(errors='replace').strip()[-200:]}); "
            "see that libreoffice-writer-nogui is whole, or ask for docx"
        )
    return made.read_bytes()
