"""What was made of a ledger, kept for as long as that ledger is there.

A ledger never changes, so what follows from it never does either; and when something new is recorded
there is another ledger, and what was kept with the old one goes with it.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from cim_core.renewal.ledger import Ledger

T = TypeVar("T")

_MOST = 64


class _Kept:
    def __init__(self) -> None:
        self.lock = Lock()
        self.found: OrderedDict[Hashable, Any] = OrderedDict()


_KEPT: WeakKeyDictionary[Ledger, _Kept] = WeakKeyDictionary()
_LOCK = Lock()


def remembered(ledger: Ledger, key: Hashable, make: Callable[[], T]) -> T:
    """What `make` makes of a ledger under a key, made once while it is among the last 64 asked for.

    What is made must not hold the ledger, or neither ever goes. Whoever asks while it is being made
    waits; `make` may ask for something else of the same ledger.
    """
    with _LOCK:
        kept = _KEPT.setdefault(ledger, _Kept())
    with kept.lock:
        place = kept.found.setdefault(key, _Place())
        kept.found.move_to_end(key)
        while len(kept.found) > _MOST:
            kept.found.popitem(last=False)
    with place.lock:
        if not place.made:
            place.made.append(make())
        found: T = place.made[0]
        return found


class _Place:
    """Where one thing is kept once it is made."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.made: list[Any] = []
