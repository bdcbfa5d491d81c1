"""What a person may upload in a day."""

from datetime import UTC, datetime, timedelta

import anyio.to_thread

from cim_core.errors import TooMany
from cim_core.store.office_uploads import Uploads
from server.access.person import Person

_BETWEEN = 1 << 24
"""Bytes after which is written down what arrived, so that uploads side by side know of each other."""


class Quota:
    """Counts the bytes of one upload while they arrive; what was refused or broken off counts too.

    uploads
        Where a city keeps what was uploaded.
    person
        Who uploads.
    most
        Bytes one person may upload in a day (UTC), over HTTP.
    """

    def __init__(self, uploads: Uploads, person: Person, most: int) -> None:
        self._uploads = uploads
        self._account = person.id or person.address
        self._most = most
        self._begun = datetime.now(UTC)
        self._known = self._unwritten = 0

    async def begin(self, declared: int) -> None:
        """Raise `TooMany` where what is announced is more than the day has left."""
        self._known = await anyio.to_thread.run_sync(self._uploads.used, self._account, self._day)
        self._check(declared)

    async def take(self, count: int) -> None:
        """Count what arrived; raise `TooMany` where it is more than the day has left."""
        self._unwritten += count
        self._check(self._unwritten)
        if self._unwritten >= _BETWEEN:
            await self.end()

    async def end(self) -> None:
        """Write down what is not written yet."""
        count, self._unwritten = self._unwritten, 0
        if count:
            self._known = await anyio.to_thread.run_sync(
                self._uploads.add, self._account, self._day, count
            )

    @property
    def _day(self) -> str:
        return self._begun.date().isoformat()

    def _check(self, more: int) -> None:
        if self._known + more > self._most:
            midnight = datetime.combine(self._begun.date(), datetime.min.time(), UTC)
            seconds = (midnight + timedelta(days=1) - self._begun).total_seconds()
            raise TooMany(
                f"one person may upload {self._most / 2**20:.0f} MiB in a day here; go on after "
                "midnight UTC, or import the file on the server with `cim import`",
                seconds,
            )
