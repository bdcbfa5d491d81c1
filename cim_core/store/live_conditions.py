"""What the alarm engine writes: conditions that hold, and the alarms they raise and end.

Everything here joins the transaction of whoever calls, so that an alarm and the observations that
raised it are kept together or not at all.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cim_core.alarms.alarm import Alarm, AlarmChange, What, alarm_of
from cim_core.alarms.rule import Rule, number_text
from cim_core.observations import Stream

Part = Literal["own", "member", "centre"]
Known = tuple[str, int, Part]
"""A condition by its rule, its datastream, and as what that takes part in it."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One that holds since a moment, milliseconds since 1970.

    alarm
        The alarm it belongs to; None for one that has not held for long enough, and for a member of
        a neighbourhood, which raises nothing by itself.
    """

    since: int
    alarm: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """What an alarm is raised by, and what is said of it.

    at
        When it was observed, milliseconds since 1970.
    others
        The datastreams that took part beside its own.
    """

    rule: Rule
    stream: Stream
    at: int
    value: float
    threshold: float
    message: Mapping[str, str]
    others: tuple[int, ...] = ()


def keep(connection: sqlite3.Connection, known: Known, condition: Condition) -> None:
    """Keep that a condition holds, or waits, from now on."""
    connection.execute(
        "INSERT INTO alarm_conditions VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (rule, stream, part) DO UPDATE SET since = excluded.since,"
        " alarm = excluded.alarm",
        (*known, condition.since, condition.alarm),
    )


def drop(connection: sqlite3.Connection, known: Known) -> None:
    """Forget a condition that holds no more."""
    connection.execute(
        "DELETE FROM alarm_conditions WHERE rule = ? AND stream = ? AND part = ?", known
    )


def raised(
    connection: sqlite3.Connection, found: Found, now: int, joins: int | None = None
) -> tuple[int, AlarmChange | None]:
    """The alarm that a condition raises or belongs to, and how it changed, if it did.

    joins
        An alarm it belongs to whatever its thing is.
    """
    rule, stream = found.rule, found.stream
    alarm = alarm_by(connection, joins) if joins is not None else None
    if alarm is None:
        row = connection.execute(
            "SELECT * FROM alarms WHERE name = ? AND thing = ? AND state <> 'cleared'",
            (rule.name, stream.thing),
        ).fetchone()
        alarm = _alarm(row) if row is not None else None
    if alarm is None:
        return _added(connection, found, now)
    streams = sorted({*alarm.datastreams, stream.id, *found.others})
    if rule.level > alarm.level:
        properties = sorted({*alarm.properties, stream.property})
        changes = {
            **_worded(found, streams, properties), "rule": rule.id, "level": rule.level, "state": "raised",
            "active": 1, "ended": None, "shelved_until": None,
        }  # fmt: skip
        return alarm.id, changed(connection, alarm, "escalated", now, changes, note=_told(found))
    if not alarm.active:
        changes = {"datastreams": streams, "active": 1, "ended": None}
        return alarm.id, changed(connection, alarm, "again", now, changes)
    if len(streams) > len(alarm.datastreams):
        changed(connection, alarm, None, now, {"datastreams": streams})
    return alarm.id, None


def ended(
    connection: sqlite3.Connection, alarm_id: int, at: int, now: int, kept_from: int, note: str = ""
) -> AlarmChange | None:
    """What becomes of an alarm when one of its conditions is over and was dropped, if anything.

    kept_from
        From this level on it stays open until somebody has acknowledged it.
    """
    holds = connection.execute(
        "SELECT 1 FROM alarm_conditions WHERE alarm = ? LIMIT 1", (alarm_id,)
    ).fetchone()
    alarm = alarm_by(connection, alarm_id)
    if holds is not None or alarm is None or not alarm.active:
        return None
    stays = alarm.state == "raised" and alarm.level >= kept_from
    changes: dict[str, Any] = {"active": 0, "ended": at}
    if not stays:
        changes |= {"state": "cleared", "shelved_until": None}
    return changed(connection, alarm, "ended", now, changes, note=note)


def unshelved(connection: sqlite3.Connection, now: int) -> list[AlarmChange]:
    """End all shelvings whose time has come."""
    rows = connection.execute(
        "SELECT * FROM alarms WHERE shelved_until <= ? ORDER BY id", (now,)
    ).fetchall()
    found = [
        changed(connection, _alarm(row), "unshelved", now, {"shelved_until": None}) for row in rows
    ]
    return [change for change in found if change is not None]


def moved(connection: sqlite3.Connection, streams: Iterable[Stream]) -> None:
    """Let alarms, also those that are cleared, follow their things to other layers and places."""
    things = {stream.thing: stream for stream in streams}
    rows = connection.execute(
        "SELECT * FROM alarms WHERE thing IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(things)),),
    ).fetchall()
    for alarm in map(_alarm, rows):
        if (told := _placed(things[alarm.thing.id])) != _placed_now(alarm):
            changed(connection, alarm, None, alarm.changed, told)


_COLUMNS = (
    "name", "thing", "layer", "rule", "level", "state", "active", "raised", "changed", "ended",
    "shelved_until", "handler", "version",
)  # fmt: skip


def changed(
    connection: sqlite3.Connection, alarm: Alarm, what: What | None, now: int,
    changes: Mapping[str, Any], who: str | None = None, note: str = "",
) -> AlarmChange | None:  # fmt: skip
    """Change columns and entries of the body of an alarm, and keep an event of it.

    what
        None for what nobody has to hear of: no event, and the version stays.
    """
    row = connection.execute("SELECT * FROM alarms WHERE id = ?", (alarm.id,)).fetchone()
    columns = dict(row) | {key: value for key, value in changes.items() if key in _COLUMNS}
    body = json.loads(row["body"])
    body |= {key: value for key, value in changes.items() if key not in _COLUMNS}
    if what is not None:
        columns |= {"changed": now, "version": row["version"] + 1}
    connection.execute(
        f"UPDATE alarms SET {', '.join(f'{name} = ?' for name in _COLUMNS)}, body = ? WHERE id = ?",
        (*(columns[name] for name in _COLUMNS), _text(body), alarm.id),
    )
    _renewed(connection)
    if what is None:
        return None
    _happened(connection, alarm.id, now, who, what, note)
    return AlarmChange(what, alarm_of(columns, body))


def alarm_by(connection: sqlite3.Connection, alarm: int) -> Alarm | None:
    """An alarm by its number."""
    row = connection.execute("SELECT * FROM alarms WHERE id = ?", (alarm,)).fetchone()
    return None if row is None else _alarm(row)


def _added(
    connection: sqlite3.Connection, found: Found, now: int
) -> tuple[int, AlarmChange]:  # fmt: skip
    stream = found.stream
    place = _placed(stream)
    streams = sorted({stream.id, *found.others})
    body = _worded(found, streams, [stream.property]) | {
        k: v for k, v in place.items() if k != "layer"
    }
    columns = {
        "name": found.rule.name, "thing": stream.thing, "layer": stream.layer,
        "rule": found.rule.id, "level": found.rule.level, "state": "raised", "active": 1,
        "raised": found.at, "changed": now, "ended": None, "shelved_until": None, "handler": None,
        "version": 1,
    }  # fmt: skip
    added = connection.execute(
        f"INSERT INTO alarms ({', '.join(_COLUMNS)}, body) VALUES (?{', ?' * len(_COLUMNS)})",
        (*columns.values(), _text(body)),
    )
    number = int(added.lastrowid or 0)
    _renewed(connection)
    _happened(connection, number, now, None, "raised", _told(found))
    return number, AlarmChange("raised", alarm_of({"id": number, **columns}, body))


def _told(found: Found) -> str:
    """What was measured, in no language."""
    return f"{number_text(found.value)} {found.rule.unit_of(found.stream)}".strip()


def _worded(found: Found, streams: Sequence[int], properties: Sequence[str]) -> dict[str, Any]:
    return {
        "title": dict(found.rule.title), "message": dict(found.message), "value": found.value,
        "threshold": found.threshold, "unit": found.rule.unit_of(found.stream),
        "datastreams": list(streams), "properties": list(properties),
    }  # fmt: skip


def _placed(stream: Stream) -> dict[str, Any]:
    lon, lat = stream.place[:2] if stream.place else (None, None)
    return {
        "layer": stream.layer, "thing_name": stream.thing_name, "thing_class": stream.thing_class,
        "feature": stream.feature, "lon": lon, "lat": lat,
    }  # fmt: skip


def _placed_now(alarm: Alarm) -> dict[str, Any]:
    thing = alarm.thing
    return {
        "layer": thing.layer, "thing_name": thing.name, "thing_class": thing.thing_class,
        "feature": thing.feature, "lon": thing.lon, "lat": thing.lat,
    }  # fmt: skip


def _happened(
    connection: sqlite3.Connection, alarm: int, at: int, who: str | None, what: What, note: str
) -> None:
    connection.execute(
        "INSERT INTO alarm_events (alarm, at, who, what, note) VALUES (?, ?, ?, ?, ?)",
        (alarm, at, who, what, note),
    )


def _renewed(connection: sqlite3.Connection) -> None:
    """Let who keeps what they know of alarms look again."""
    connection.execute(
        "INSERT INTO meta VALUES ('alarms', '1')"
        " ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1"
    )


def _alarm(row: sqlite3.Row) -> Alarm:
    return alarm_of(row, json.loads(row["body"]))  # type: ignore[arg-type]


def _text(body: Mapping[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
