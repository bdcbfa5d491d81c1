"""Turns at what takes a thread of the server for some seconds."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from cim_core.errors import TooMany


@contextmanager
def turn(places: BoundedSemaphore, busy: TooMany) -> Iterator[None]:
    """Take one of some places; raises `busy` where there is none.

    Nobody waits here: each that waited would keep a thread from answering others.
    """
    if not places.acquire(blocking=False):
        raise busy
    try:
        yield
    finally:
        places.release()
