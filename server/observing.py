"""Questions about what a city observed, each answered once for all who ask the same."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from analysis.heat_map import Heat, HeatAsked, heat
from analysis.series import Series
from cim_core.alarms.rules import RuleBook, limits_of
from cim_core.cells import cell_names
from cim_core.city import City
from cim_core.kept import kept
from cim_core.observations import Stream, Streams
from cim_core.sight import Sight

_HEATS = 64
_BELIEVED_SECONDS = 0.25
"""How long nothing new is taken to be there: so often at most the same is made anew."""

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class HeatQuestion:
    """What is asked for of one property; `key` is equal for equal questions about the same data."""

    key: Key
    streams: Streams = field(compare=False)
    city: City = field(compare=False)
    asked: HeatAsked = field(compare=False)

    @property
    def etag(self) -> str:
        """What the answer is told by."""
        return f'"{hashlib.sha256(repr(self.key).encode()).hexdigest()[:24]}"'


class Observing:
    """What is kept between the questions of many.

    rules
        The rules of alarms, whose limits charts draw.
    """

    def __init__(self, city: City) -> None:
        self.rules = RuleBook(city.folder)
        self._city = city
        self._stamp: tuple[float, tuple[int, int, int]] = (0.0, (0, 0, 0))
        self._heat = kept(_HEATS)(_made)

    def stamp(self) -> tuple[int, int, int]:
        """Changes whenever something was recorded, moved, or known otherwise of a thing."""
        until, stamp = self._stamp
        if time.monotonic() > until:
            live = self._city.live
            stamp = (live.tail().last_batch, self._city.history.snapshot().number, live.generation)
            self._stamp = time.monotonic() + _BELIEVED_SECONDS, stamp
        return stamp

    def question(self, city: City, chosen: Key, streams: Streams, asked: HeatAsked) -> HeatQuestion:
        """What somebody asks for; `chosen` says by what the datastreams were chosen."""
        key = (sight_key(city.sight), *chosen, asked, self.stamp())
        return HeatQuestion(key, streams, city, asked)

    def heat(self, question: HeatQuestion) -> Heat:
        """The answer, made once for all who ask the same at the same time."""
        return self._heat(question)

    def thresholds(self, stream: Stream) -> list[dict[str, Any]]:
        """The limits that alarms are raised at, for charts of a datastream."""
        self.rules.refresh()
        return [
            {"level": one.level, "value": one.value, "direction": one.direction, "rule": one.rule}
            for one in limits_of(self.rules.rules.values(), stream)
        ]


def chosen_streams(
    city: City, property_: str | None, thing_class: str | None, layer: str | None
) -> Streams:
    """The datastreams of a property, a class of things and a layer, of any where it is None."""
    streams = city.live.streams()
    if property_ is thing_class is layer is None:
        return streams
    return Streams(
        [
            one
            for one in streams.by_id.values()
            if property_ in (None, one.property)
            and thing_class in (None, one.thing_class)
            and layer in (None, one.layer)
        ]
    )


def sight_key(sight: Sight) -> Key:
    """Equal for those who see the same of every layer."""
    if sight.parts is None:
        return ()
    return tuple(sorted((layer, part.key) for layer, part in sight.parts.items()))


def _made(question: HeatQuestion) -> Heat:
    return heat(question.streams, question.city.observed, question.asked)


def heat_document(property_: str, found: Heat) -> Mapping[str, Any]:
    """A heat map as it is served."""
    asked = found.asked
    return {
        "property": property_, "unit": found.unit, "statistic": asked.statistic,
        "resolution": asked.resolution, "start": asked.start, "end": asked.end,
        "cells": cell_names(found.cells), "values": found.values.tolist(),
        "counts": found.counts.tolist(),
    }  # fmt: skip


def series_document(one: Series) -> dict[str, Any]:
    """A series as it is served, without its limits."""
    stream = one.stream
    return {
        "datastream": {
            "id": stream.id, "key": stream.key, "name": stream.name, "property": stream.property,
            "unit": stream.unit, "thing": stream.thing, "thing_name": stream.thing_name,
        },
        "times": one.times.tolist(), "values": one.values.tolist(), "rows": one.rows,
        "gaps": [list(gap) for gap in one.gaps],
    }  # fmt: skip
