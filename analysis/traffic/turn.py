"""Questions about windows of traffic are answered one after the other: each may need a gigabyte."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cim_core.errors import TooMany

_MOST = 4
"""One is answered, the others wait."""
_SOON_SECONDS = 5.0

_room = threading.BoundedSemaphore(_MOST)
_turn = threading.Lock()


@contextmanager
def turn() -> Iterator[None]:
    """Until nobody else of this process is in it; raises `TooMany` where too many wait already."""
    if not _room.acquire(blocking=False):
        raise TooMany(
            "too many questions about traffic wait for their answers; ask again soon", _SOON_SECONDS
        )
    try:
        with _turn:
            yield
    finally:
        _room.release()
