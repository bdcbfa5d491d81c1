"""Running one job: in its own process for the server, in the command's own for the CLI."""

import argparse
import logging
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from cim_core.city import City
from cim_core.errors import Cancelled
from cim_core.feature import Value
from cim_core.progress import Progress, Report
from cim_core.sight import EVERYTHING, Doer
from cim_core.store.jobs import Job, succeed_job
from cim_core.work import Crew
from server.access.gate import Gate
from server.bounds import bound_process
from server.checkup.order import CHECKUP
from server.folder_import import FOLDER, FolderUpload, Told, import_folder
from server.ingest import Upload, ingest, retile
from server.problems import problem_of
from server.processes import execute_job
from server.settings import load_settings
from server.stages import stage_pace

_BEAT_SECONDS = 0.4

_log = logging.getLogger(__name__)


_stopping = threading.Event()
"""Whether the process was told to end, which a library that takes every exception hides."""


class _Stopped(BaseException):
    """The process was told to end; the job goes back to the queue."""


class Pulse:
    """Tells the registry twice a second that the worker lives and how far it is."""

    def __init__(self, city: City, job_id: str, owner: str) -> None:
        self._city, self._job_id, self._owner = city, job_id, owner
        self._state = (0, 0, "reading")
        self._pace = stage_pace()
        self._wanted = True
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)

    def __enter__(self) -> "Pulse":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        try:
            while not self._stop.is_set():
                self._wanted = self._city.jobs.beat(
                    self._job_id, self._owner, *self._state, self._pace.remaining()
                )
                self._stop.wait(_BEAT_SECONDS)
        finally:
            self._city.database.close()

    def report(self, done: int, total: int, note: str) -> None:
        """Keep where the work is, for the next beat."""
        self._pace.note(done, total, note)
        self._state = (done, total, note)

    def cancelled(self) -> bool:
        """Whether the job is no longer wanted, or no longer ours."""
        return not self._wanted


def owner_name() -> str:
    """A name no other worker has."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def is_dead(owner: str) -> bool:
    """Whether an owner was a process of this machine that is no more."""
    host, pid, _ = owner.rsplit(":", 2)
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def run_job(
    city: City, job: Job, owner: str, crew: Crew, listener: Report | None = None,
    told: Told | None = None,
) -> Job:  # fmt: skip
    """Do a job this worker has claimed; every outcome, foreseen or not, is in the registry after.

    `told` hears of each file of a folder.
    """
    with Pulse(city, job.id, owner) as pulse:

        def report(done: int, total: int, note: str) -> None:
            pulse.report(done, total, note)
            if listener is not None:
                listener(done, total, note)

        def cancelled() -> bool:
            if _stopping.is_set():
                raise _Stopped
            return pulse.cancelled()

        progress = Progress(report, cancelled)

        def end(connection: sqlite3.Connection, result: dict[str, Value]) -> None:
            succeed_job(connection, job.id, owner, result)

        acting = _on_behalf(city, job)
        try:
            if job.type == "tile":
                retile(acting, str(job.layer), progress, end)
            elif job.type == "process":
                execute_job(acting, job, progress, end)
            elif job.type == CHECKUP:
                from server.checkup.examining import examine_job

                examine_job(acting, job, progress, end)
            elif job.type == FOLDER:
                order = FolderUpload.from_parameters(job.parameters)
                import_folder(acting, order, crew, progress, end, told)
            else:
                ingest(acting, Upload.from_parameters(job.parameters), crew, progress, end)
        except _Stopped:
            city.jobs.release(job.id, owner)
            raise
        except Cancelled:
            city.jobs.dismissed(job.id, owner)
        except Exception as error:
            city.jobs.fail(job.id, owner, problem_of(error))
    ended = city.jobs.get(job.id)
    if ended.ended and "path" in job.parameters:
        _discard_upload(city, Path(str(job.parameters["path"])))
    return ended


def _on_behalf(city: City, job: Job) -> City:
    """The city as whoever ordered a job sees it now; what it makes bears their name."""
    if job.person is None:
        return city
    asked = job.type == "process"
    sight = Gate(city).account(job.person).sight if asked else EVERYTHING
    return city.seen_by(sight, Doer(job.person, job.who or ""))


def _discard_upload(city: City, path: Path) -> None:
    """Delete an uploaded file whose job has ended; files outside the city are not ours."""
    folder = path.parent
    if folder.parent == city.uploads_folder.resolve():
        shutil.rmtree(folder, ignore_errors=True)


def _stop_on_signal() -> Callable[[int, FrameType | None], None]:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        _stopping.set()
        raise _Stopped

    return stop


def main() -> int:
    """`python -m server.worker --city DIR --job ID`: what the server starts for each job."""
    parser = argparse.ArgumentParser(prog="server.worker")
    parser.add_argument("--city", type=Path, required=True)
    parser.add_argument("--job", required=True)
    arguments = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s")
    logging.getLogger("numexpr").setLevel(logging.WARNING)  # tells how many threads it takes
    signal.signal(signal.SIGTERM, _stop_on_signal())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server decides, not the terminal
    settings = load_settings()
    bound_process(settings.job_memory)
    city = City.open(arguments.city)
    owner = owner_name()
    try:
        if not city.jobs.claim(arguments.job, owner):
            return 0
        job = run_job(city, city.jobs.get(arguments.job), owner, settings.crew())
    except _Stopped:
        city.jobs.release(arguments.job, owner)  # it may have come before the work began
        _log.info("job %s goes back to the queue", arguments.job)
        return 0
    _log.info("job %s is %s", job.id, job.status)
    return 0


if __name__ == "__main__":
    sys.exit(main())
