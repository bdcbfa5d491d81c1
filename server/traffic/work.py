"""Questions about traffic that take a processor for seconds, in processes of their own.

So what is live is held up by none of them. One is answered at a time, and a few may wait.
"""

import contextlib
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson

from cim_core.city import City
from cim_core.errors import CimError, InvalidInput, TooMany
from cim_core.sight import WHOLE, Sight
from cim_core.work import Failure, Limits, Standing, Task

Question = Callable[..., Any]
"""A function of a module: of a city, and of arguments by name that JSON can tell."""

_MODULES = ("server.traffic.measuring", "server.traffic.tracks")
"""Where questions are; loaded once, before the processes that answer them are forked."""

_MOST_WAITING = 16
_MOST_OF_ONE = 6
"""A page asks four at once. Whoever asks more leaves room for others."""
_SOON_SECONDS = 5.0
_NICE = 5


class Work:
    """Answers questions one after the other; close it with the server."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._standing = Standing(_opened, (folder.resolve(),), limits)
        self._turn = threading.Lock()
        self._room = threading.BoundedSemaphore(_MOST_WAITING)
        self._lock = threading.Lock()
        self._asking: Counter[str] = Counter()

    @contextlib.contextmanager
    def place(self, who: str) -> Iterator[None]:
        """One of the places of somebody who asks; raises `TooMany` where all of theirs are taken."""
        with self._lock:
            if self._asking[who] >= _MOST_OF_ONE:
                raise TooMany(
                    "too many of your questions about traffic wait for their answers; ask again "
                    "when one has come",
                    _SOON_SECONDS,
                )
            self._asking[who] += 1
        try:
            yield
        finally:
            with self._lock:
                self._asking[who] -= 1
                if not self._asking[who]:
                    del self._asking[who]

    def ask(self, question: Question, layers: Iterable[str], **arguments: Any) -> Any:
        """What a question is answered with; waits for those before it.

        layers
            Nothing else is in the city that the question is asked of.

        Raises what the question raises of ours, `InvalidInput` where it takes too long or too much
        memory, and `TooMany` where too many wait.
        """
        asked = {
            "module": question.__module__, "name": question.__name__, "layers": list(layers),
            "arguments": arguments,
        }  # fmt: skip
        if not self._room.acquire(blocking=False):
            raise TooMany(
                "too many questions about traffic wait for their answers; ask again soon",
                _SOON_SECONDS,
            )
        try:
            with self._turn:
                answer = self._standing.do(orjson.dumps(asked).decode())
        finally:
            self._room.release()
        if isinstance(answer, Failure):
            raise InvalidInput(
                "that takes more time or memory than a question may; ask for a shorter time"
            )
        if isinstance(answer, CimError):
            raise answer
        return answer

    def close(self) -> None:
        """End the processes."""
        self._standing.close()


def _opened(folder: Path) -> Task:
    os.nice(_NICE)
    for module in _MODULES:
        import_module(module)

    def task(batch: Sequence[str]) -> Iterator[tuple[str, Any]]:
        for item in batch:
            yield item, _answered(folder, orjson.loads(item))

    return task


def _answered(folder: Path, asked: dict[str, Any]) -> Any:
    question: Question = getattr(import_module(asked["module"]), asked["name"])
    sight = Sight(dict.fromkeys(asked["layers"], WHOLE), people=False)
    try:
        return question(City.open(folder).seen_by(sight, None), **asked["arguments"])
    except CimError as error:
        return error
