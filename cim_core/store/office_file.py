"""`office.db`: read where it exists, begun by the first thing that must be written."""

import hashlib
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cim_core.errors import InvalidInput
from cim_core.store.begun_file import BegunFile
from cim_core.store.database import Layout

FILE_NAME = "office.db"

_LAYOUT = Layout(
    what="the office of a city", sql="office.sql", version=1,
    application_id=0x43494D4F, private=True,  # "CIMO"
)  # fmt: skip

Clock = Callable[[], float]
"""The present moment, seconds since 1970."""


class OfficeFile(BegunFile):
    """The file that holds who may do what in a city, and what was done."""

    def __init__(self, folder: Path, clock: Clock = time.time) -> None:
        super().__init__(folder / FILE_NAME, _LAYOUT)
        self.clock = clock

    def now(self) -> str:
        """The present moment, UTC, RFC 3339 to the millisecond."""
        return moment(self.clock())


def moment(seconds: float) -> str:
    """A time in seconds since 1970 as UTC, RFC 3339 to the millisecond.

    >>> moment(0.0)
    '1970-01-01T00:00:00.000Z'
    """
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def new_token() -> str:
    """Something nobody can guess, 256 bits, that stands in URLs and headers."""
    return secrets.token_urlsafe(32)


def hash_of(token: str) -> str:
    """What is kept of a token: enough to know it again."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def checked_text(text: str, what: str, longest: int = 200, *, empty: bool = False) -> str:
    """A name or title that people can read and files can hold; raises `InvalidInput`."""
    text = text.strip()
    if not (text or empty) or len(text) > longest or not text.isprintable():
        raise InvalidInput(
            f"{text[:longest]!r} cannot be used as {what}: take 1 to {longest} letters, digits and "
            "signs without line breaks"
        )
    return text
