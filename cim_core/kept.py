"""What takes long to make and is asked for again, made once even when two ask at the same time."""

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def kept(most: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Remember the last `most` answers of a function of hashable arguments; an error is not kept.

    Unlike with `functools.lru_cache`, whoever asks while the answer is being made waits for it, and
    only for that one.

    >>> @kept(1)
    ... def double(number: int) -> int:
    ...     print("made")
    ...     return 2 * number
    >>> double(2), double(2)
    made
    (4, 4)
    """

    def keeping(make: Callable[P, T]) -> Callable[P, T]:
        places: OrderedDict[object, _Place[T]] = OrderedDict()
        lock = Lock()

        @wraps(make)
        def ask(*args: P.args, **kwargs: P.kwargs) -> T:
            key = (args, tuple(sorted(kwargs.items())))
            with lock:
                place = places.setdefault(key, _Place())
                places.move_to_end(key)
                while len(places) > most:
                    places.popitem(last=False)
            with place.lock:
                if not place.made:
                    place.made.append(make(*args, **kwargs))
                return place.made[0]

        return ask

    return keeping


class _Place(Generic[T]):
    """Where one answer is kept once it is made."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.made: list[T] = []
