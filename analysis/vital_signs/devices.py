"""Signs of things that observe: which of them report, how many show too much, and their alarms."""

from collections import defaultdict

import numpy as np

from analysis.availability import of_things, patience
from analysis.vital_signs.moments import Asked, sight_key
from analysis.vital_signs.reading import (
    Part,
    Reading,
    Words,
    count,
    of_a_part,
    percent,
    ready,
    titled,
    unavailable,
)
from cim_core.kept import kept
from cim_core.sensor_classes import sensor_classes
from cim_core.store.live_alarms import AlarmLife

_LEVELS: dict[int, Words] = {
    1: {"en": "minor alarms", "zh": "一般告警"}, 2: {"en": "major alarms", "zh": "较大告警"},
    3: {"en": "severe alarms", "zh": "重大告警"}, 4: {"en": "extremely severe alarms", "zh": "特别重大告警"},
}  # fmt: skip
_DAY, _MINUTE = 86_400_000, 60_000


def online(asked: Asked, at: int) -> Reading:
    """The share of things that are ok by `observed_rules.toml`, by class of thing."""
    known = asked.city.live.streams()
    if not len(known):
        return unavailable("no-devices")
    waits = patience(known)
    streams, newest = asked.newest(None, at, int(waits.stale.max()) + 1)
    if (newest.times < 0).all() and _begun_after(asked, at):
        return unavailable("no-observations")
    states = of_things(streams, waits.states(newest.times, at))
    classes = {one.thing: one.thing_class for one in streams.by_id.values()}
    ok: defaultdict[str, list[bool]] = defaultdict(list)
    for thing, state in states.items():
        ok[classes[thing]].append(state == "ok")
    parts = {
        kind: Part(_class_title(kind), float(sum(several)), float(len(several)))
        for kind, several in ok.items()
    }
    return ready(parts, percent, _layers(asked))


def at_or_above(asked: Asked, at: int, *, property: str, above: float, fresh: int) -> Reading:  # noqa: A002 – as the file calls it
    """How many things' newest value of a property, no older than `fresh` seconds, is so high."""
    if not len(asked.city.live.streams().of_property(property)):
        return unavailable("no-such-device")
    streams, newest = asked.newest(property, at, 1000 * fresh)
    there = newest.times >= 0
    if not there.any():
        return unavailable("no-observations")
    parts: dict[str, Part] = {}
    for row in np.flatnonzero(there).tolist():
        stream = streams.by_id[int(streams.ids[row])]
        above_it = float(newest.values[row] >= above)
        known = parts.get(str(stream.thing))
        worst = max(above_it, known.numerator) if known else above_it
        parts[str(stream.thing)] = Part(titled(stream.thing_name), worst, 1.0)
    layers = tuple(sorted({one.layer for one in streams.by_id.values()}))
    if there.all():
        return ready(parts, count, layers)
    return of_a_part(parts, count, layers, "not-all-report")


def open_alarms(asked: Asked, at: int) -> Reading:
    """How many alarms were raised and not answered, by class of thing."""
    if not len(asked.city.live.streams()):
        return unavailable("no-devices")
    found: defaultdict[str, int] = defaultdict(int)
    for life in _lives(_Lives(asked)):
        if life.alarm.raised < at and (life.answered is None or life.answered >= at):
            found[life.alarm.thing.thing_class] += 1
    parts = {kind: Part(_class_title(kind), float(n), 1.0) for kind, n in found.items()}
    return ready(parts, count, _layers(asked))


def closed_in_time(asked: Asked, at: int, *, days: float, minutes: list[float]) -> Reading:
    """Of the alarms of some days that were answered or are overdue, the share answered in time.

    minutes
        Within which an alarm is to be answered, by its level from 1 on.
    """
    if not len(asked.city.live.streams()):
        return unavailable("no-devices")
    found: defaultdict[int, list[bool]] = defaultdict(list)
    for life in _lives(_Lives(asked)):
        alarm = life.alarm
        if not at - days * _DAY <= alarm.raised < at:
            continue
        due = alarm.raised + minutes[alarm.level - 1] * _MINUTE
        answered = life.answered is not None and life.answered < at
        if answered or due < at:
            found[alarm.level].append(answered and (life.answered or 0) <= due)
    if not found:
        return unavailable("no-alarms", _layers(asked))
    parts = {
        str(level): Part(_LEVELS[level], float(sum(kept_)), float(len(kept_)))
        for level, kept_ in found.items()
    }
    return ready(parts, percent, _layers(asked))


class _Lives:
    """Whose alarms are asked for; equal as long as no alarm changes."""

    def __init__(self, asked: Asked) -> None:
        self.city, self.since = asked.city, asked.since
        revision = asked.city.live.alarms.revision
        self.key = (asked.city.folder, sight_key(asked.city.sight), asked.since, revision)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Lives) and self.key == other.key


@kept(16)
def _lives(asked: _Lives) -> list[AlarmLife]:
    """Those of the ten days before, which is more than any sign looks back."""
    return asked.city.live.alarms.lives(asked.since - 10 * _DAY)


def _begun_after(asked: Asked, at: int) -> bool:
    span = asked.city.observed.span()
    return span is None or span[0] >= at


def _class_title(kind: str) -> Words:
    known = sensor_classes().get(kind)
    return titled(kind or "?") if known is None else known.title


def _layers(asked: Asked) -> tuple[str, ...]:
    return tuple(sorted({one.layer for one in asked.city.live.streams().by_id.values()}))
