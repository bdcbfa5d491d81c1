"""Keeps a city's compactor running, from the first observation on."""

import asyncio
import contextlib
import logging
import os
import sys

from cim_core.city import City
from server.bounds import without_secrets
from server.settings import Settings

_LOOK_SECONDS = 2.0
_AGAIN_SECONDS = 5.0
_TAKEN_SECONDS = 60.0

_log = logging.getLogger(__name__)


class Compacting:
    """Starts the process that makes history, again where it dies, and ends it with the server."""

    def __init__(self, city: City, settings: Settings) -> None:
        self._city = city
        self._settings = settings
        self._process: asyncio.subprocess.Process | None = None

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while not (self._city.live.exists or self._city.traffic.exists):
                await asyncio.sleep(_LOOK_SECONDS)
            while True:
                self._process = await self._started()
                code = await self._process.wait()
                if code == 0:  # another server of this city has one
                    await asyncio.sleep(_TAKEN_SECONDS)
                    continue
                _log.warning("the compactor ended with code %s; it is started again", code)
                await asyncio.sleep(_AGAIN_SECONDS)
        finally:
            await self._stop()

    async def _started(self) -> asyncio.subprocess.Process:
        settings = self._settings
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "server.compactor",
            "--city", str(self._city.folder.resolve()), "--parent", str(os.getpid()),
            stdin=asyncio.subprocess.DEVNULL, stdout=2, start_new_session=True,
            env={
                **without_secrets(os.environ),
                "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                "CIM_HOT_MINUTES": str(settings.hot_minutes),
                "CIM_HOT_ROWS": str(settings.hot_rows),
                "CIM_TRAFFIC_HOT_MINUTES": str(settings.traffic_hot_minutes),
                "CIM_HISTORY_MEMORY": str(settings.history_memory),
                "CIM_HISTORY_THREADS": str(settings.history_threads),
            },
        )  # fmt: skip

    async def _stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            await self._process.wait()
