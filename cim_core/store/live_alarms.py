"""The alarms of a city as somebody sees them, and how people answer them."""

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cim_core.alarms.alarm import OPEN, Alarm, AlarmChange, AlarmEvent, What, alarm_of
from cim_core.alarms.rules import defaults
from cim_core.errors import Conflict, InvalidInput, NotFound
from cim_core.observations import Streams
from cim_core.sight import EVERYTHING, Sight
from cim_core.store.live_conditions import Condition, Known, changed
from cim_core.store.live_file import LiveFile

_DAY = 86_400_000
_LONGEST_NOTE = 2_000
_AT_ONCE = 200

Respond = Callable[[Alarm], None]
"""Raises unless somebody may answer an alarm."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which alarms are asked for; None and 0 ask for any.

    state
        "open", "closed" or "all".
    since
        Only what was changed then or later, milliseconds since 1970.
    after
        Only those raised before that alarm: where the page before ended.
    """

    state: str = "open"
    level: int = 0
    layer: str | None = None
    thing: int | None = None
    rule: str | None = None
    since: int | None = None
    after: int | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Levels:
    """The worst level of what is active and not cleared, by thing and by datastream."""

    things: Mapping[int, int]
    streams: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class AlarmLife:
    """An alarm, and when somebody had nothing more to do with it, milliseconds since 1970.

    answered
        When it was closed, or its condition was over and nobody had to look; None while it is open.
    """

    alarm: Alarm
    answered: int | None


class Alarms:
    """Reading and answering alarms; what is not seen is not there.

    streams
        Gives the datastreams that are seen.
    """

    def __init__(
        self, file: LiveFile, streams: Callable[[], Streams], sight: Sight = EVERYTHING
    ) -> None:
        self._file = file
        self._streams = streams
        self._sight = sight

    @property
    def revision(self) -> int:
        """A number that grows with every change of an alarm, by whichever process."""
        return self._file.number("alarms")

    def find(self, asked: Asked) -> list[Alarm]:
        """The alarms that are asked for, the newest first."""
        found: list[Alarm] = []
        for alarm in self._matching(asked):
            if len(found) == asked.limit:
                break
            found.append(alarm)
        return found

    def lives(self, since: int) -> list[AlarmLife]:
        """The alarms that were open at some time since a moment, milliseconds since 1970."""
        alarms = [*self._matching(Asked()), *self._matching(Asked("closed", since=since))]
        rows = self._file.rows(
            "SELECT alarm, min(iif(what = 'closed', at, NULL)) AS closed,"
            " max(iif(what IN ('ended', 'acknowledged'), at, NULL)) AS over FROM alarm_events"
            " WHERE alarm IN (SELECT value FROM json_each(?)) GROUP BY alarm",
            json.dumps([alarm.id for alarm in alarms if not alarm.open]),
        )
        answered = {row["alarm"]: row["closed"] or row["over"] for row in rows}
        return [AlarmLife(alarm, answered.get(alarm.id)) for alarm in alarms]

    def counts(self) -> tuple[int, dict[int, int]]:
        """How many are open, and how many of them there are of each level."""
        levels = Counter(alarm.level for alarm in self._matching(Asked()))
        return levels.total(), {level: levels[level] for level in (1, 2, 3, 4)}

    def levels(self) -> Levels:
        """What is wrong now, for symbols on maps and in lists."""
        things: dict[int, int] = {}
        streams: dict[int, int] = {}
        for alarm in self._matching(Asked("not cleared")):
            if alarm.active:
                thing = alarm.thing.id
                things[thing] = max(things.get(thing, 0), alarm.level)
                for stream in alarm.datastreams:
                    streams[stream] = max(streams.get(stream, 0), alarm.level)
        return Levels(things, streams)

    def get(self, alarm: int) -> Alarm:
        """An alarm by its number; raises `NotFound`."""
        row = self._file.row("SELECT * FROM alarms WHERE id = ?", alarm)
        return self._seen(row, alarm)

    def events(self, alarm: int) -> list[AlarmEvent]:
        """What happened to an alarm, from its raising on; raises `NotFound`."""
        self.get(alarm)
        rows = self._file.rows(
            "SELECT at, who, what, note FROM alarm_events WHERE alarm = ? ORDER BY id", alarm
        )
        return [AlarmEvent(*row) for row in rows]

    def conditions(self) -> dict[Known, Condition]:
        """All conditions that hold or wait, whoever asks: what the engine goes on with."""
        rows = self._file.rows("SELECT rule, stream, part, since, alarm FROM alarm_conditions")
        return {
            (r["rule"], r["stream"], r["part"]): Condition(r["since"], r["alarm"]) for r in rows
        }

    def news(self, after: int | None) -> tuple[int, list[int]]:
        """The number of the last event of any alarm, and the alarms that had one after a number.

        None asks for the number alone. Also of alarms that are not seen the numbers are told.
        """
        if after is None:
            row = self._file.row("SELECT coalesce(max(id), 0) AS last FROM alarm_events")
            return (row["last"] if row else 0), []
        rows = self._file.rows("SELECT id, alarm FROM alarm_events WHERE id > ? ORDER BY id", after)
        last = max((row["id"] for row in rows), default=after)
        return last, list(dict.fromkeys(row["alarm"] for row in rows))

    def acknowledge(
        self, alarm: int, who: str, version: int, note: str = "", *, may: Respond
    ) -> AlarmChange:
        """Somebody looks after an alarm from now on; one whose condition is over is cleared by that.

        Raises `NotFound`, what `may` raises, and `Conflict` where somebody was faster or there is
        nothing to acknowledge any more.
        """

        def change(found: Alarm) -> dict[str, Any]:
            if found.state != "raised":
                raise Conflict(
                    f"alarm {alarm} is acknowledged already ({found.state}); look at it again"
                )
            return {"state": "handling" if found.active else "cleared", "handler": who}

        return self._answer(alarm, who, version, "acknowledged", note, change, may)

    def shelve(
        self, alarm: int, who: str, version: int, until: int, reason: str, *, may: Respond
    ) -> AlarmChange:
        """Let an alarm rest until a moment, milliseconds since 1970; an escalation ends that.

        Raises as `acknowledge` does, and `InvalidInput` for a time that is over or too far away.
        """
        days, now = defaults()["shelving"]["longest_days"], _now()
        if not now < until <= now + days * _DAY:
            raise InvalidInput(f"an alarm can be shelved for up to {days} days from now; give a time in between")  # fmt: skip

        def change(found: Alarm) -> dict[str, Any]:
            _needs_open(found)
            return {"shelved_until": until}

        return self._answer(alarm, who, version, "shelved", _reason(reason), change, may)

    def close(
        self, alarm: int, who: str, version: int, reason: str, *, may: Respond
    ) -> AlarmChange:
        """The work on an alarm is done; it is cleared as soon as no condition of it holds.

        Raises as `acknowledge` does.
        """

        def change(found: Alarm) -> dict[str, Any]:
            _needs_open(found)
            state = "done" if found.active else "cleared"
            return {"state": state, "handler": who, "shelved_until": None}

        return self._answer(alarm, who, version, "closed", _reason(reason), change, may)

    def _answer(
        self, alarm: int, who: str, version: int, what: What, note: str,
        change: Callable[[Alarm], dict[str, Any]], may: Respond,
    ) -> AlarmChange:  # fmt: skip
        if len(note) > _LONGEST_NOTE:
            raise InvalidInput(f"a note has {_LONGEST_NOTE} letters at most; shorten it")
        may(self.get(alarm))
        with self._file.transaction() as connection:
            row = connection.execute("SELECT * FROM alarms WHERE id = ?", (alarm,)).fetchone()
            found = self._seen(row, alarm)
            if found.version != version:
                raise Conflict(
                    f"alarm {alarm} has changed meanwhile (it is {found.state}, version "
                    f"{found.version}); look at it again"
                )
            result = changed(connection, found, what, _now(), change(found), who, note)
            assert result is not None
            return replace(result, alarm=self._shown(result.alarm))

    def _seen(self, row: sqlite3.Row | None, number: int) -> Alarm:
        alarm = None if row is None else _alarm(row)
        if alarm is None or not alarm.seen_by(self._sight):
            raise NotFound(f"there is no alarm {number} in this city; `cim alarms list` lists them")
        return self._shown(alarm)

    def _shown(self, alarm: Alarm) -> Alarm:
        """An alarm that is seen, with those of its datastreams that are."""
        return alarm if self._sight.parts is None else alarm.among(self._streams().by_id)

    def _matching(self, asked: Asked) -> Iterator[Alarm]:
        wanted, values = _where(asked)
        if self._sight.parts is not None:
            wanted.append("layer IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(sorted(self._sight.parts)))
        last = asked.after
        while True:  # page by page, so that nothing is read that nobody asked for
            page = [*wanted, "id < ?"] if last is not None else wanted
            rows = self._file.rows(
                f"SELECT * FROM alarms WHERE {' AND '.join(page) or '1'}"
                f" ORDER BY id DESC LIMIT {_AT_ONCE}",
                *values, *([last] if last is not None else []),
            )  # fmt: skip
            found = [alarm for alarm in map(_alarm, rows) if alarm.seen_by(self._sight)]
            yield from map(self._shown, found)
            if len(rows) < _AT_ONCE:
                return
            last = rows[-1]["id"]


def _where(asked: Asked) -> tuple[list[str], list[object]]:
    wanted: list[str] = []
    values: list[object] = []
    if asked.state == "not cleared":
        wanted.append("state <> 'cleared'")
    elif asked.state != "all":
        # said this way the index of what is not cleared is used
        wanted.append(
            f"state <> 'cleared' AND state IN {OPEN}"
            if asked.state == "open"
            else f"state NOT IN {OPEN}"
        )
    asks: Mapping[str, object] = {
        "level = ?": asked.level or None, "layer = ?": asked.layer, "thing = ?": asked.thing,
        "rule = ?": asked.rule, "changed >= ?": asked.since,
    }  # fmt: skip
    for condition, value in asks.items():
        if value is not None:
            wanted.append(condition)
            values.append(value)
    return wanted, values


def _needs_open(alarm: Alarm) -> None:
    if not alarm.open:
        raise Conflict(f"alarm {alarm.id} is closed already ({alarm.state}); look at it again")


def _reason(text: str) -> str:
    if not text.strip():
        raise InvalidInput("a reason is needed; say in a few words why")
    return text.strip()


def _alarm(row: sqlite3.Row) -> Alarm:
    return alarm_of(row, json.loads(row["body"]))  # type: ignore[arg-type]


def _now() -> int:
    return round(time.time() * 1000)
