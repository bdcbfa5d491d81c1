"""Keeps jobs going: starts a worker for each that waits, and finds those whose worker is lost."""

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import sys
import time
from pathlib import Path

from cim_core.city import City
from cim_core.store.jobs import Job
from server.bounds import without_secrets
from server.settings import Settings
from server.worker import is_dead

_TICK_SECONDS = 0.5
_CLEAN_SECONDS = 5.0
_HEED_SECONDS = 20
_ORPHAN_SECONDS = 3600.0
_JOBS_REMEMBERED = 10_000

_log = logging.getLogger(__name__)


class Runner:
    """One job at a time: a job's own workers fill the machine."""

    def __init__(self, city: City, settings: Settings) -> None:
        self._city = city
        self._settings = settings
        self._worker: asyncio.subprocess.Process | None = None
        self._wake = asyncio.Event()
        self._cleaned = -_CLEAN_SECONDS
        self.running = False

    def wake(self) -> None:
        """A job was added: do not wait for the next tick."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled; then the running job goes back to the queue."""
        self.running = True
        try:
            while True:
                try:
                    await self._turn()
                except Exception:
                    _log.exception("the jobs cannot be looked after; trying again")
                    await asyncio.sleep(_CLEAN_SECONDS)
        finally:
            self.running = False
            await self._stop()

    async def _turn(self) -> None:
        """Do what waits; else wait a moment for something to do."""
        # Not only when a worker of ours dies: one may have outlived the server before us.
        if time.monotonic() - self._cleaned >= _CLEAN_SECONDS:
            await asyncio.to_thread(self._clean_up)
            self._cleaned = time.monotonic()
        await asyncio.to_thread(self._city.jobs.recover, is_dead)
        waiting = await asyncio.to_thread(self._city.jobs.waiting)
        if waiting:
            await self._work(waiting[0])
            return
        self._wake.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), _TICK_SECONDS)

    async def _work(self, job: Job) -> None:
        job_id = job.id
        self._worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "server.worker",
            "--city", str(self._city.folder.resolve()), "--job", job_id,
            stdin=asyncio.subprocess.DEVNULL, stdout=2, start_new_session=True,
            env={
                # A job reads strangers' files: what signs people in is not its business.
                **without_secrets(os.environ),
                "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                "CIM_ITEM_SECONDS": str(self._settings.item_seconds),
                "CIM_ITEM_MEMORY": str(self._settings.item_memory),
                "CIM_JOB_MEMORY": str(self._settings.job_memory),
                **({"TMPDIR": folder} if (folder := _own_folder(self._city, job)) else {}),
                **({"CIM_SCHEDULER": scheduler} if (scheduler := self._settings.scheduler) else {}),
            },
        )  # fmt: skip
        code = await self._end_of(self._worker, job_id)
        self._worker = None
        if code != 0:
            _log.warning("the worker of job %s ended with code %s", job_id, code)
            await asyncio.to_thread(self._city.jobs.strike, job_id)

    async def _end_of(self, worker: asyncio.subprocess.Process, job_id: str) -> int:
        """The code a worker ends with; it is killed if it does not heed that its job was cancelled.

        A library that is busy with a file somebody made for that asks nobody whether to go on.
        """
        unheeded = 0
        while True:
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(worker.wait(), 1.0)
            job = await asyncio.to_thread(self._city.jobs.get, job_id)
            unheeded = unheeded + 1 if job.cancel else 0
            if unheeded > _HEED_SECONDS:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(worker.pid, signal.SIGKILL)

    async def _stop(self) -> None:
        if self._worker is not None and self._worker.returncode is None:
            self._worker.terminate()
            await self._worker.wait()

    def _clean_up(self) -> None:
        """Clear away what an earlier process left when it died."""
        _discard_orphans(self._city)
        self._city.sweep()
        self._city.database.close()


def _own_folder(city: City, job: Job) -> str | None:
    """Where a job's process puts what it needs for a while: it goes with the upload, whatever happens."""
    folder = Path(str(job.parameters.get("path", ""))).parent
    if folder.parent != city.uploads_folder.resolve() or not folder.is_dir():
        return None
    (folder / "tmp").mkdir(exist_ok=True)
    return str(folder / "tmp")


def _discard_orphans(city: City) -> None:
    """Delete uploads of jobs that ended without their worker, or that never became a job."""
    if not city.uploads_folder.is_dir() or not any(city.uploads_folder.iterdir()):
        return
    ended = {
        str(Path(str(job.parameters.get("path"))).parent.name): job.ended
        for job in city.jobs.newest(_JOBS_REMEMBERED)
    }
    for folder in city.uploads_folder.iterdir():
        old = time.time() - folder.stat().st_mtime > _ORPHAN_SECONDS
        if ended.get(folder.name, old):
            shutil.rmtree(folder, ignore_errors=True)
