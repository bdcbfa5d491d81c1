"""Messages by MQTT: which topics they come under, and what one layer's say."""

import re
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial

from server.traffic.given import pieces, read_messages, unknown_layer
from server.traffic.recorder import Taken, TrafficRecorder

_PART = re.compile(r"\{(\w+)\}")
_TOGETHER = 1_000
"""Messages that are handed on in one piece, so that others' find room as well."""

Heard = tuple[bytes, int]
"""A payload, and when it came, milliseconds since 1970."""
LetIn = Callable[[Callable[[], "Future[Taken]"]], "Future[Taken]"]
"""Tries to hand something on until there is room."""


class TrafficFeed:
    """What the topics of traffic bring.

    topics
        With parts in braces that are whole levels, `v2x/{layer}/{kind}`; what a message is shows in it.
    """

    def __init__(self, recorder: TrafficRecorder, topics: Sequence[str]) -> None:
        self._recorder = recorder
        self.filters = tuple(_PART.sub("+", topic) for topic in topics)
        self._patterns = [re.compile(_pattern(topic)) for topic in topics]

    def layer(self, topic: str) -> str | None:
        """The layer a topic names; None for a topic that is not of traffic."""
        for pattern in self._patterns:
            found = pattern.match(topic)
            if found is not None:
                return found["layer"]
        return None

    def submitted(self, layer: str, some: Sequence[Heard], let_in: LetIn) -> "list[Future[Taken]]":
        """What is waited for until messages of a layer are on disk."""
        names = self._recorder.names(layer)
        waiting = []
        for part in pieces(some, _TOGETHER):
            payloads, arrivals = zip(*part, strict=True)
            if names is None:
                given = unknown_layer(layer, "mqtt", payloads)
            else:
                given = read_messages(layer, "mqtt", payloads, names, arrivals)
            waiting.append(let_in(partial(self._recorder.submit, given)))
        return waiting


def _pattern(topic: str) -> str:
    named = _PART.split(topic)
    texts, names = named[::2], named[1::2]
    levels = [f"(?P<{name}>[^/]+)" if name == "layer" else "[^/]+" for name in names]
    return (
        "".join(re.escape(t) + level for t, level in zip(texts, [*levels, ""], strict=True)) + "$"
    )
