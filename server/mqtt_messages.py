"""What devices publish: a topic and a payload, as observations."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from cim_core.observation_sources import ObservationSource
from server.given import FARTHEST, Rows

_LONGEST = 8 << 20
"""Bytes of a payload that is read."""

_REMEMBERED, _LONGEST_REMEMBERED = 100_000, 256
"""Topics, and the letters of one, beyond which they are looked up each time."""


class _Message(msgspec.Struct, gc=False):
    """As nearly all payloads are: `ts` is when, milliseconds since 1970."""

    value: float
    ts: int
    unit: str | None = None
    lon: float | None = None
    lat: float | None = None
    quality: Any = None


_one = msgspec.json.Decoder(_Message)
_several = msgspec.json.Decoder(list[_Message])
_NOT_USUAL = (msgspec.MsgspecError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class Told:
    """What a topic says: its source, the object, and the metric where the topic names it."""

    source: ObservationSource
    thing: str
    metric: str | None


class Topics:
    """The topics of all sources."""

    def __init__(self, sources: Iterable[ObservationSource]) -> None:
        self._patterns: list[tuple[re.Pattern[str], ObservationSource]] = [
            (pattern, source) for source in sources for pattern in source.patterns
        ]
        self._known: dict[str, Told | None] = {}

    def told(self, topic: str) -> Told | None:
        """What a topic says; None for one that is no source's."""
        if len(topic) > _LONGEST_REMEMBERED:
            return self._found(topic)
        if topic not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[topic] = self._found(topic)
        return self._known[topic]

    def _found(self, topic: str) -> Told | None:
        for pattern, source in self._patterns:
            found = pattern.match(topic)
            if found is not None:
                groups = found.groupdict()
                return Told(source, groups["object"], groups.get("metric"))
        return None


def read_message(rows: Rows, told: Told, payload: bytes, now: int, *, retained: bool) -> None:
    """Add what one message says to the rows of its source.

    A payload is an object with `value` and `ts`, several of them in a list, or, where the topic names
    no metric, an object of them by metric, by itself or as `params`. What says no time was at `now`,
    milliseconds since 1970; what the broker kept (`retained`) and says none is of no known time, and
    left out.
    """
    if told.metric is not None:
        of = f"{told.thing}/{told.metric}"
        try:
            if payload.startswith(b"["):
                messages = _several.decode(payload)
            else:
                messages = [_one.decode(payload)]
        except _NOT_USUAL:
            messages = []
        if messages and all(map(_usual, messages)):
            for one in messages:
                placed = one.lon is not None or one.lat is not None
                rows.add(
                    of, one.ts, one.value, one.unit,
                    (_number(one.lon), _number(one.lat)) if placed else None, one.quality,
                )  # fmt: skip
            return
    given = _loosely(payload)
    if told.metric is not None:
        _read(rows, f"{told.thing}/{told.metric}", given, None if retained else now)
        return
    params = given.get("params", given) if isinstance(given, dict) else None
    if not isinstance(params, dict):
        rows.unreadable("its payload is no object of results by metric", given)
        return
    when = given.get("ts", given.get("time", None if retained else now))
    for metric, result in params.items():
        if params is not given or metric not in ("id", "ts", "time"):
            _read(rows, f"{told.thing}/{metric}", result, when)


def _read(rows: Rows, of: str, given: Any, now: int | None) -> None:
    for one in given if isinstance(given, list) else [given]:
        item = _item(one)
        if now is not None or "time" in item:
            rows.read(item, of, now)


def _usual(one: _Message) -> bool:
    """Whether nothing of a message needs to be looked at more closely."""
    simple = one.quality is None or isinstance(one.quality, int | float)
    return simple and -FARTHEST < one.ts < FARTHEST


def _item(given: Any) -> dict[str, Any]:
    """One result as a row is read: a bare number or word is its value."""
    if not isinstance(given, Mapping) or "value" not in given:
        return {"value": given}
    item = {name: what for name, what in given.items() if name != "datastream"}
    if "time" not in item and "ts" in item:
        item["time"] = item["ts"]
    return item


def _loosely(payload: bytes) -> Any:
    """JSON, or text that is none, as of a last will: offline."""
    text = payload[:_LONGEST].decode("utf-8", "replace").strip()
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _number(given: float | None) -> float:
    return math.nan if given is None else given
