"""The machine that holds observations against the rules.

Where nothing crosses a limit and nothing is waited for, a batch costs a few operations on whole
columns; only the rows of datastreams of which there is something to say are looked at one by one, in
order of time. What follows from them depends on their own times, not on how they were cut into
batches.
"""

import math
import sqlite3
from collections.abc import Mapping

import numpy as np

from cim_core.alarms.alarm import AlarmChange
from cim_core.alarms.paces import Rows
from cim_core.alarms.plan import Plan, Slot, silent_after
from cim_core.alarms.rules import RuleBook, defaults
from cim_core.mesh import Floats
from cim_core.observations import LAST_TIME, Observations, Stream, Streams, Times
from cim_core.store.live import Live
from cim_core.store.live_conditions import (
    Condition,
    Found,
    Known,
    drop,
    ended,
    keep,
    moved,
    raised,
    unshelved,
)

_MINUTE = 60_000.0
_SECOND = 1000.0

Changes = tuple[Rows, Floats, Floats]
"""Rows of a batch, (n,), how much each has changed, (n,), and in how many milliseconds, (n,)."""


Paced = list[tuple[float, float]]
"""By group of `Plan.rated`: how much a value has changed, and in how many milliseconds."""

_UNKNOWN = (math.nan, math.nan)


class AlarmEngine:
    """Raises, escalates and ends the alarms of one city; for one thread of one process.

    Making one reads what holds from the file, so it is made, and told to `forget`, outside of any
    transaction.
    """

    def __init__(self, live: Live, rules: RuleBook) -> None:
        self._live = live
        self._book = rules
        self._gap = float(defaults()["gap"]["intervals"])
        self._irregular = float(defaults()["gap"]["irregular"]) * _SECOND
        self._kept_from = int(defaults()["kept"]["until_acknowledged_from"])
        self._since: int | None = None
        self._followed: int | None = None
        self._placed: dict[int, Stream] = {}
        self._load()

    @property
    def rules(self) -> RuleBook:
        """The rules it holds observations against."""
        return self._book

    def forget(self) -> None:
        """Read from the file what holds: after a transaction that failed, when that is over."""
        self._load()

    def observe(
        self, connection: sqlite3.Connection, what: Observations, now: int
    ) -> list[AlarmChange]:
        """What follows from new observations, in order of time; in the transaction that keeps them.

        now
            Milliseconds since 1970.
        """
        if not len(what):
            return []
        plan = self._plan
        rows = plan.rows(what.streams)
        if rows.min() < 0 and self._live.generation != plan.generation:
            plan = self._replan(connection)
            rows = plan.rows(what.streams)
        if not plan.streams:
            return []
        times = what.times
        newer = times > plan.newest[rows]
        if rows.min() < 0 or not newer.all():
            newer &= rows >= 0
            rows, times, values = rows[newer], times[newer], what.values[newer]
        else:
            values = what.values
        plan.newest[rows] = times
        hits = (values >= plan.upper[rows]) | (values < plan.lower[rows]) | plan.watched[rows]
        changes: list[Changes] = []
        for group in plan.rated:
            numbers = group.numbers[rows]
            some = np.flatnonzero(numbers >= 0)
            numbers = numbers[some]
            change, span = group.paces.changes(numbers, times[some], values[some])
            pace = change / span
            hits[some] |= (pace >= group.upper[numbers]) | (pace < group.lower[numbers])
            changes.append((some, change, span))
        if not hits.any():
            return []
        of_interest = np.zeros(len(plan.streams), bool)
        of_interest[rows[hits]] = True  # what follows one crossing of a datastream counts as well
        turn = _Turn(self, connection, plan, now)
        paces = [_by_place(*group) for group in changes]
        for place in np.flatnonzero(of_interest[rows]).tolist():
            of_row = [group.get(place, _UNKNOWN) for group in paces]
            turn.look_at(int(rows[place]), int(times[place]), float(values[place]), of_row)
        return turn.changes

    def tick(self, connection: sqlite3.Connection, now: int) -> list[AlarmChange]:
        """What follows from time alone: silence, ends of shelving, and rules or things that changed."""
        if self._since is None:
            self._since = now
        found: list[AlarmChange] = []
        if self._book.refresh() or self._live.generation != self._plan.generation:
            self._replan(connection)
        plan = self._plan
        if plan.generation != self._followed:  # also where things moved while nobody was there
            moved(connection, _moved_since(plan.streams, self._placed))
            self._placed = {stream.thing: stream for stream in plan.streams}
            self._followed = plan.generation
        if plan.orphans:
            found += self._end_orphans(connection, plan, now)
        if plan.silences:
            newest = plan.newest[plan.silent_rows]
            # The time when nobody listened is no silence of the device.
            quiet = now - np.maximum(newest, self._since)
            due = (quiet >= plan.silent_after) & (newest >= 0)
            turn = _Turn(self, connection, plan, now)
            for number in np.flatnonzero(due).tolist():
                if plan.silences[number].alarm is None:
                    turn.silent(plan.silences[number], now - int(newest[number]))
            found += turn.changes
        return found + unshelved(connection, now)

    def _load(self) -> None:
        self._followed, self._placed = None, {}
        self._book.refresh()
        streams = self._live.streams()
        tail = self._live.tail()
        generation = self._live.generation
        newest = tail.newest_times(streams.ids)
        held = self._live.alarms.conditions()
        self._plan = Plan(self._book.rules, streams, held, newest, generation)
        self._remember_paces(self._plan)

    def _remember_paces(self, plan: Plan) -> None:
        """Rates go on with what of the last windows is not history yet."""
        for group in plan.rated:
            rated = group.numbers >= 0
            newest = plan.newest[rated]
            known = newest >= 0
            if not known.any():
                continue
            start = group.paces.reach(group.numbers[rated][known], newest[known]).min()
            past, _ = self._live.tail().rows(max(int(start), 0), LAST_TIME, plan.ids[rated])
            past = past.in_order()
            rows = plan.rows(past.streams)
            past = past.take(
                past.times >= group.paces.reach(group.numbers[rows], plan.newest[rows])
            )
            numbers = group.numbers[plan.rows(past.streams)]
            group.paces.changes(numbers, past.times, past.values)

    def _replan(self, connection: sqlite3.Connection) -> Plan:
        """The plan for rules and things as they are now; what is known of the old ones goes on."""
        before = self._plan
        generation = self._live.generation
        streams = self._live.streams()
        held: dict[Known, Condition] = dict(before.orphans)
        for slot in before.every_slot():
            if slot.since is not None:
                held[slot.known] = Condition(slot.since, slot.alarm)
        plan = Plan(self._book.rules, streams, held, _newest(streams, before), generation)
        plan.take_over(before)
        self._plan = plan
        return plan

    def _end_orphans(
        self, connection: sqlite3.Connection, plan: Plan, now: int
    ) -> list[AlarmChange]:
        """End what a rule or a datastream held that is there no more."""
        found: list[AlarmChange] = []
        for known, condition in plan.orphans.items():
            drop(connection, known)
            if condition.alarm is not None:
                note = "the rule or the datastream is there no more"
                change = ended(connection, condition.alarm, now, now, self._kept_from, note)
                found += [change] if change else []
        plan.orphans.clear()
        return found


class _Turn:
    """Looking at some rows one by one, in one transaction."""

    def __init__(
        self, engine: AlarmEngine, connection: sqlite3.Connection, plan: Plan, now: int
    ) -> None:
        self.changes: list[AlarmChange] = []
        self._gap, self._irregular = engine._gap, engine._irregular
        self._kept_from = engine._kept_from
        self._connection = connection
        self._plan = plan
        self._now = now

    def look_at(self, row: int, at: int, value: float, paces: Paced) -> None:
        """One observation."""
        for slot in self._plan.silent_slots(row):
            if self._now - at < silent_after(slot):
                self._end(slot, at)
        for slot in self._plan.slots[row]:
            measured = value
            if slot.rule.per:
                change, span = paces[slot.group]
                measured = change * (slot.rule.per * _SECOND) / span
            if math.isnan(measured):
                continue  # nothing is known, so nothing begins and nothing ends
            if slot.part == "own":
                self._own(slot, at, measured)
            else:
                self._member(slot, at, measured)
        self._plan.watch(row)

    def silent(self, slot: Slot, quiet: int) -> None:
        """A datastream of which nothing has come for so many milliseconds."""
        slot.since = self._now
        self._raise(slot, self._now, quiet / _MINUTE, silent_after(slot) / _MINUTE)
        self._plan.watch(slot.row)

    def _own(self, slot: Slot, at: int, measured: float) -> None:
        rule = slot.rule
        if slot.alarm is not None:
            if rule.ends(measured):
                self._end(slot, at)
        elif not rule.begins(measured):
            if slot.since is not None:
                slot.since = None
                drop(self._connection, slot.known)
        else:
            if slot.since is None or at - slot.last > self._longest(slot):
                slot.since = at
                if rule.hold:
                    keep(self._connection, slot.known, Condition(at, None))
            slot.last = at
            if at - slot.since >= rule.hold:
                self._raise(slot, at, measured, rule.limit)

    def _longest(self, slot: Slot) -> float:
        """Over how many milliseconds two observations still tell what was between them."""
        every = slot.stream.every
        if every is None:
            return max(slot.rule.hold, self._irregular)
        return self._gap * every * _SECOND

    def _member(self, slot: Slot, at: int, measured: float) -> None:
        rule = slot.rule
        if slot.since is not None and rule.ends(measured):
            slot.since = None
            drop(self._connection, slot.known)
        elif slot.since is not None:
            slot.last = at
        elif rule.begins(measured):
            slot.since = slot.last = at
            keep(self._connection, slot.known, Condition(at, None))
        else:
            return
        for centre in slot.centres:
            self._neighbourhood(centre, at)

    def _neighbourhood(self, centre: Slot, at: int) -> None:
        """Whether enough of those around hold, and the middle itself."""
        fresh = at - centre.rule.window
        holding = [m for m in centre.members if m.since is not None and m.last >= fresh]
        things = {member.stream.thing for member in holding}
        enough = len(things) >= centre.rule.at_least and centre.stream.thing in things
        if centre.alarm is not None and not enough:
            self._end(centre, at)
        elif centre.alarm is None and enough:
            joins = [
                other.alarm
                for member in holding
                for other in member.centres
                if other.alarm is not None
            ]
            centre.since = at
            streams = tuple(member.stream.id for member in holding)
            self._raise(
                centre, at, float(len(things)), float(centre.rule.at_least), streams,
                min(joins, default=None),
            )  # fmt: skip

    def _raise(
        self, slot: Slot, at: int, value: float, threshold: float,
        others: tuple[int, ...] = (), joins: int | None = None,
    ) -> None:  # fmt: skip
        message = slot.rule.message_of(slot.stream, value, threshold, round(value) if others else 0)
        found = Found(slot.rule, slot.stream, at, value, threshold, message, others)
        slot.alarm, change = raised(self._connection, found, self._now, joins)
        assert slot.since is not None
        keep(self._connection, slot.known, Condition(slot.since, slot.alarm))
        self.changes += [change] if change else []

    def _end(self, slot: Slot, at: int) -> None:
        assert slot.alarm is not None
        drop(self._connection, slot.known)
        change = ended(self._connection, slot.alarm, at, self._now, self._kept_from)
        slot.since = slot.alarm = None
        self.changes += [change] if change else []


def _by_place(places: Rows, change: Floats, span: Floats) -> dict[int, tuple[float, float]]:
    pairs = zip(change.tolist(), span.tolist(), strict=True)
    return dict(zip(places.tolist(), pairs, strict=True))


def _moved_since(streams: list[Stream], before: Mapping[int, Stream]) -> list[Stream]:
    """Those of things that are new, or stand elsewhere or are called otherwise than before."""
    return [
        one
        for one in streams
        if (old := before.get(one.thing)) is None
        or (one.layer, one.feature, one.thing_name, one.thing_class, one.place)
        != (old.layer, old.feature, old.thing_name, old.thing_class, old.place)
    ]


def _newest(streams: Streams, before: Plan) -> Times:
    rows = before.rows(streams.ids)
    return np.where(rows >= 0, before.newest[rows] if len(before.newest) else -1, -1)
