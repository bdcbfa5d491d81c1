"""An alarm: what a rule found at a thing, what became of it, and what somebody is told of it.

The states, after those that city governments use: `raised` (待处置), `handling` (处置中, somebody has
acknowledged it), `done` (已完成, closed while its condition still holds) and `cleared` (已解除).
docs/reference/alarms.md has the whole machine.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import shapely

from cim_core.feature import Value
from cim_core.sight import Sight

State = Literal["raised", "handling", "done", "cleared"]
STATES: tuple[State, ...] = get_args(State)
OPEN: tuple[State, ...] = ("raised", "handling")
"""What somebody has still to look at."""

What = Literal[
    "raised", "escalated", "again", "ended", "acknowledged", "shelved", "unshelved", "closed"
]
"""What can happen to an alarm."""


@dataclass(frozen=True, slots=True)
class AlarmThing:
    """The thing of an alarm as it was when that was raised; degrees, None where it has no place."""

    id: int
    name: str
    thing_class: str
    layer: str
    feature: str | None
    lon: float | None
    lat: float | None


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm as it stands; times are milliseconds since 1970.

    name
        What rules may raise together; a rule's own id else.
    rule, level, title, message, value, threshold, unit
        Of the worst rule that held so far: the level of an alarm never falls.
    active, ended
        Whether a condition still holds, and since when none does.
    handler
        Who has acknowledged or closed it.
    properties
        The codes of the observed properties that its words and its events tell of.
    version
        Grows with every change; who changes it names the version they saw.
    """

    id: int
    name: str
    rule: str
    level: int
    state: State
    active: bool
    thing: AlarmThing
    datastreams: Sequence[int]
    title: Mapping[str, str]
    message: Mapping[str, str]
    value: float
    threshold: float
    unit: str
    raised: int
    changed: int
    ended: int | None
    shelved_until: int | None
    handler: str | None
    version: int
    properties: Sequence[str]

    @property
    def open(self) -> bool:
        """Whether somebody has still to look at it."""
        return self.state in OPEN

    def seen_by(self, sight: Sight) -> bool:
        """Whether somebody may know of it: its layer, its place and all it tells of are seen."""
        part = sight.of(self.thing.layer)
        if part is None or any(part.hides(code) for code in self.properties):
            return False
        if part.area is None:
            return True
        if self.thing.lon is None or self.thing.lat is None:
            return False
        return bool(part.area.intersects(shapely.Point(self.thing.lon, self.thing.lat)))

    def among(self, streams: Collection[int]) -> "Alarm":
        """The same with only those of its datastreams that are among some."""
        return replace(self, datastreams=[one for one in self.datastreams if one in streams])

    def document(self, sight: Sight) -> dict[str, Value]:
        """What somebody who sees it is told; names of people only where they may know them."""
        thing = self.thing
        return {
            "id": self.id, "rule": self.rule, "name": self.name, "title": dict(self.title),
            "level": self.level, "state": self.state, "active": self.active,
            "raised": self.raised, "changed": self.changed, "ended": self.ended,
            "thing": {
                "id": thing.id, "name": thing.name, "class": thing.thing_class,
                "layer": thing.layer, "feature": thing.feature, "lon": thing.lon, "lat": thing.lat,
            },
            "datastreams": list(self.datastreams), "value": _number(self.value),
            "unit": self.unit, "threshold": _number(self.threshold),
            "message": dict(self.message), "shelved_until": self.shelved_until,
            "handler": self.handler if sight.people else None, "version": self.version,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class AlarmEvent:
    """What happened to an alarm: when, who did it (None: nobody), what, and with which words."""

    at: int
    who: str | None
    what: str
    note: str

    def document(self, sight: Sight) -> dict[str, Value]:
        """What somebody is told of it."""
        who = self.who if sight.people else None
        return {"at": self.at, "who": who, "what": self.what, "note": self.note}


@dataclass(frozen=True, slots=True)
class AlarmChange:
    """A change of an alarm, as the recorder hands it to its listeners after the commit.

    Whoever passes it on to people asks `document` for each of them.
    """

    what: What
    alarm: Alarm

    def document(self, sight: Sight) -> dict[str, Value] | None:
        """The alarm with `what` has happened to it; None for somebody who may not know of it."""
        if not self.alarm.seen_by(sight):
            return None
        return {**self.alarm.document(sight), "what": self.what}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def alarm_of(row: Mapping[str, Any], body: Mapping[str, Any]) -> Alarm:
    """An alarm from the columns and the body of its row."""
    thing = AlarmThing(
        row["thing"], body["thing_name"], body["thing_class"], row["layer"], body["feature"],
        body["lon"], body["lat"],
    )  # fmt: skip
    return Alarm(
        row["id"], row["name"], row["rule"], row["level"], row["state"], bool(row["active"]),
        thing, body["datastreams"], body["title"], body["message"], body["value"],
        body["threshold"], body["unit"], row["raised"], row["changed"], row["ended"],
        row["shelved_until"], row["handler"], row["version"], body.get("properties", ()),
    )  # fmt: skip
