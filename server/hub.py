"""What happens in the city, told to everyone who listens, whichever process did it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from cim_core.about import About
from cim_core.city import City
from cim_core.feature import Value

_POLL_SECONDS = 0.2
_RETRY_SECONDS = 5.0
_QUEUE = 256
_JOBS_WATCHED = 50

_log = logging.getLogger(__name__)

Event = tuple[str, dict[str, Value]]


class Hub:
    """Watches the city's files for commits of any process and passes the differences on."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._listeners: set[asyncio.Queue[Event | None]] = set()
        self._jobs: dict[str, dict[str, Value]] = {}
        self._unended: set[str] = set()
        self._layers: dict[str, tuple[int, About]] = {}
        self._revisions: dict[str, int] = {}

    async def run(self) -> None:
        """Until cancelled; then every listener is told that it is over."""
        try:
            counter = -1
            self._read()
            while True:
                try:
                    now = self._city.database.change_counter()
                    if now != counter:
                        for event in self._read():
                            self.tell(event)
                        counter = now
                    self._look("renewal", self._city.renewal.revision)
                    self._look("checkup", self._city.checkups.revision)
                except Exception:
                    _log.exception("the city could not be read; trying again")
                    await asyncio.sleep(_RETRY_SECONDS)
                await asyncio.sleep(_POLL_SECONDS)
        finally:
            self.close()

    def close(self) -> None:
        """End every listener's stream."""
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(None)

    def _look(self, kind: str, revision: int) -> None:
        """Tell of what is at another revision than when it was looked at last."""
        if self._revisions.get(kind, revision) != revision:
            self.tell((kind, {"revision": revision}))
        self._revisions[kind] = revision

    def _read(self) -> list[Event]:
        events: list[Event] = []
        watched = {job.id: job for job in self._city.jobs.newest(_JOBS_WATCHED)}
        watched.update({job.id: job for job in self._city.jobs.unended()})
        lost = [known for known in self._unended if known not in watched]
        watched.update({job_id: self._city.jobs.get(job_id) for job_id in lost})
        for job_id in sorted(watched):
            described = watched[job_id].as_dict()
            if self._jobs.get(job_id) != described:
                events.append(("job", described))
            self._jobs[job_id] = described
        self._jobs = {job_id: self._jobs[job_id] for job_id in watched}
        self._unended = {job_id for job_id, job in watched.items() if not job.ended}
        current = self._city.layers.current()
        layers = {version.layer: (version.version, version.about) for version in current}
        for layer in sorted({*layers, *self._layers}):
            if layers.get(layer) != self._layers.get(layer):
                number = layers[layer][0] if layer in layers else None
                events.append(("layer", {"id": layer, "version": number}))
        self._layers = layers
        return events

    def tell(self, event: Event) -> None:
        """Tell every listener of something."""
        for queue in self._listeners:
            if queue.full():  # a listener that does not keep up loses the oldest news
                queue.get_nowait()
            queue.put_nowait(event)

    @contextmanager
    def listening(self) -> Iterator[AsyncIterator[Event]]:
        """Everything from now on, whenever it is asked for."""
        with self._listening() as queue:
            yield _taken_from(queue)

    @contextmanager
    def _listening(self) -> Iterator[asyncio.Queue[Event | None]]:
        queue: asyncio.Queue[Event | None] = asyncio.Queue(_QUEUE)
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    async def job_events(self, job_id: str) -> AsyncIterator[dict[str, Value]]:
        """A job as it is, then every change of it until it has ended."""
        with self._listening() as queue:
            job = await asyncio.to_thread(self._city.jobs.get, job_id)
            last = job.as_dict()
            yield last
            if job.ended:
                return
            while (event := await queue.get()) is not None:
                kind, body = event
                if kind == "job" and body["jobID"] == job_id and body != last:
                    last = body
                    yield body
                    if body["status"] in ("successful", "failed", "dismissed"):
                        return


async def _taken_from(queue: asyncio.Queue[Event | None]) -> AsyncIterator[Event]:
    while (event := await queue.get()) is not None:
        yield event
