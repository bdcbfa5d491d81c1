"""Which rules look at which datastreams, laid out for quick answers to "is there anything here?"."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from cim_core.alarms.paces import Paces, Rows
from cim_core.alarms.rule import Rule
from cim_core.cells import disk, parents
from cim_core.mesh import Floats
from cim_core.observations import Stream, StreamIds, Streams, Times
from cim_core.store.live_conditions import Condition, Known, Part

_SLACK = 1e-9
"""So much a quick look at a rate is off at most, relatively; the exact one decides."""

_SECOND = 1000.0


@dataclass(eq=False, slots=True)
class Slot:
    """Where one rule stands with one datastream.

    row
        Of the datastream in the plan.
    since
        Since when the condition holds, or waits to have held for long enough; None if it does not.
    last
        When it was last seen to hold.
    alarm
        What it raised or belongs to.
    members, centres
        Of a neighbourhood: of whom it is made; in which ones a member takes part.
    group
        Where in the plan's `rated` its rates are.
    """

    rule: Rule
    stream: Stream
    row: int
    part: Part
    since: int | None = None
    last: int = 0
    alarm: int | None = None
    members: tuple["Slot", ...] = ()
    centres: list["Slot"] = field(default_factory=list)
    group: int = 0

    @property
    def known(self) -> Known:
        """The condition's key in the file."""
        return self.rule.id, self.stream.id, self.part


class Rated:
    """Datastreams of which rates are taken, each over one window.

    numbers
        (rows of the plan,) int64, their numbers in `paces`, -1 for those that are not among them.
    upper, lower
        (n,) each, in units for each millisecond: what lies between needs no look.
    of
        Datastream and window of each.
    """

    def __init__(self, slots: Mapping[int, list[Slot]], count: int) -> None:
        self.numbers: Rows = np.full(count, -1, np.int64)
        self.numbers[list(slots)] = np.arange(len(slots))
        self.of = [(some[0].stream.id, some[0].rule.window) for some in slots.values()]
        self.paces = Paces(np.array([window for _, window in self.of], np.int64))
        self.upper, self.lower = np.full(len(slots), np.inf), np.full(len(slots), -np.inf)
        for number, some in enumerate(slots.values()):
            for slot in some:
                limit = slot.rule.limit / (slot.rule.per * _SECOND)
                wide = -_SLACK if slot.rule.direction == "above" else _SLACK
                _narrow(self.upper, self.lower, number, slot.rule, limit + wide * abs(limit))


class Plan:
    """The slots of all rules and datastreams, and in columns what decides whether one is looked at.

    newest
        (n,) int64, when each datastream was last observed; -1 where it never was.
    upper, lower
        (n,) each: values between them need no look.
    watched
        (n,) bool, those that are looked at whatever their value is.
    rated
        Those of which rates are taken; of a datastream with several windows each is in another one.
    """

    def __init__(
        self, rules: Mapping[str, Rule], streams: Streams, held: Mapping[Known, Condition],
        newest: Times, generation: int,
    ) -> None:  # fmt: skip
        self.rules = rules
        self.generation = generation
        self.streams: list[Stream] = [streams.by_id[number] for number in streams.ids.tolist()]
        self.ids: StreamIds = streams.ids
        self.newest: Times = newest
        self._row_of = np.full((int(self.ids[-1]) if len(self.ids) else 0) + 2, -1, np.int64)
        self._row_of[self.ids] = np.arange(len(self.ids))
        self.slots: list[list[Slot]] = [[] for _ in self.streams]
        self.silences: list[Slot] = []
        self.orphans: dict[Known, Condition] = dict(held)
        alike = _alike(self.streams)
        for rule in rules.values():
            some = _spoken_of(rule, alike)
            if rule.kind == "neighbourhood":
                self._add_neighbourhoods(rule, some)
                continue
            for row, stream in some:
                slot = Slot(rule, stream, row, "own")
                (self.silences if rule.kind == "silence" else self.slots[row]).append(slot)
        for (
            slots
        ) in self.slots:  # the worst first: what is worse at once is not raised step by step
            slots.sort(key=lambda slot: -slot.rule.level)
        self._lay_out()
        for slot in self.every_slot():
            self._resume(slot, held)
        self.watched = np.zeros(len(self.streams), bool)
        for row in range(len(self.streams)):
            self.watch(row)

    def rows(self, streams: StreamIds) -> Rows:
        """The row of each datastream, (n,), -1 for those that were not there yet."""
        result: Rows = self._row_of[np.minimum(streams, len(self._row_of) - 1)]
        return result

    def every_slot(self) -> Iterable[Slot]:
        """All there are."""
        for slots in self.slots:
            yield from slots
        yield from self.silences
        yield from self.centres

    def watch(self, row: int) -> None:
        """Decide whether a datastream is to be looked at whatever its value is."""
        self.watched[row] = any(slot.since is not None for slot in self.slots[row]) or any(
            self.silences[number].alarm is not None for number in self._silences_of[row]
        )

    def silent_slots(self, row: int) -> list[Slot]:
        """The rules of silence that have raised an alarm of a datastream."""
        slots = [self.silences[number] for number in self._silences_of[row]]
        return [slot for slot in slots if slot.alarm is not None]

    def take_over(self, before: "Plan") -> None:
        """Go on with what the plan before knew of rates."""
        known = {one: (group, n) for group in before.rated for n, one in enumerate(group.of)}
        for group in self.rated:
            for number, one in enumerate(group.of):
                if one in known:
                    other, old = known[one]
                    group.paces.take_over(other.paces, np.array([old]), np.array([number]))

    def _resume(self, slot: Slot, held: Mapping[Known, Condition]) -> None:
        condition = held.get(slot.known)
        if condition is not None:
            slot.since, slot.alarm = condition.since, condition.alarm
            slot.last = max(condition.since, int(self.newest[slot.row]))
            del self.orphans[slot.known]

    def _lay_out(self) -> None:
        """The limits of values and of rates, and which datastreams a rate is taken of."""
        count = len(self.streams)
        self.upper, self.lower = np.full(count, np.inf), np.full(count, -np.inf)
        groups: list[defaultdict[int, list[Slot]]] = []
        for slots in self.slots:
            windows: list[int] = []
            for slot in slots:
                if not slot.rule.per:
                    _narrow(self.upper, self.lower, slot.row, slot.rule, slot.rule.limit)
                    continue
                if slot.rule.window not in windows:
                    windows.append(slot.rule.window)
                slot.group = windows.index(slot.rule.window)
                if slot.group == len(groups):
                    groups.append(defaultdict(list))
                groups[slot.group][slot.row].append(slot)
        self.rated = [Rated(group, count) for group in groups]
        self.silent_rows: Rows = np.array([slot.row for slot in self.silences], np.int64)
        self.silent_after: Times = np.array(
            [silent_after(slot) for slot in self.silences], np.int64
        )
        self._silences_of: list[list[int]] = [[] for _ in self.streams]
        for number, slot in enumerate(self.silences):
            self._silences_of[slot.row].append(number)

    @property
    def centres(self) -> list[Slot]:
        """The middles of neighbourhoods."""
        return list(
            {slot.known: slot for s in self.slots for m in s for slot in m.centres}.values()
        )

    def _add_neighbourhoods(self, rule: Rule, some: list[tuple[int, Stream]]) -> None:
        placed = [(row, stream) for row, stream in some if stream.place and stream.cell]
        if not placed:
            return
        cells = np.array([stream.cell for _, stream in placed], np.uint64)
        at = parents(cells, rule.resolution).tolist()
        within: defaultdict[int, list[int]] = defaultdict(list)
        for place, cell in enumerate(at):
            within[cell].append(place)
        members = [Slot(rule, stream, row, "member") for row, stream in placed]
        for place, (row, stream) in enumerate(placed):
            cells_around = disk(at[place], rule.rings).tolist()
            around = [other for cell in cells_around for other in within[cell]]
            things = _nearest(stream, [members[other].stream for other in around], rule.of)
            if len(things) < rule.at_least:
                continue
            those = tuple(m for m in (members[o] for o in around) if m.stream.thing in things)
            centre = Slot(rule, stream, row, "centre", members=those)
            for member in those:
                member.centres.append(centre)
        for member in members:
            if member.centres:
                self.slots[member.row].append(member)


def silent_after(slot: Slot) -> int:
    """After how many milliseconds without an observation a datastream is silent."""
    assert slot.stream.every is not None
    return round(slot.rule.intervals * slot.stream.every * _SECOND)


def _narrow(upper: Floats, lower: Floats, row: int, rule: Rule, limit: float) -> None:
    if rule.direction == "above":
        upper[row] = min(upper[row], limit)
    else:
        lower[row] = max(lower[row], limit)


def _nearest(stream: Stream, others: list[Stream], count: int) -> set[int]:
    """The things nearest to a datastream's, itself among them."""
    assert stream.place is not None
    lon, lat = stream.place[:2]
    narrow = math.cos(math.radians(lat))
    away: dict[int, tuple[float, int]] = {}
    for other in others:
        assert other.place is not None
        far = math.hypot((other.place[0] - lon) * narrow, other.place[1] - lat)
        away[other.thing] = (far if other.thing != stream.thing else -1.0, other.thing)
    return set(sorted(away, key=lambda thing: away[thing])[:count])


_Alike = Mapping[tuple[str, str, str], list[tuple[int, Stream]]]


def _alike(streams: list[Stream]) -> _Alike:
    """Datastreams with their rows, by what most rules tell them apart by."""
    found: defaultdict[tuple[str, str, str], list[tuple[int, Stream]]] = defaultdict(list)
    for row, stream in enumerate(streams):
        found[stream.thing_class, stream.property, stream.layer].append((row, stream))
    return found


def _spoken_of(rule: Rule, alike: _Alike) -> list[tuple[int, Stream]]:
    found = [
        (row, stream)
        for some in alike.values()
        if rule.speaks_of_kind(some[0][1])
        for row, stream in some
        if rule.speaks_of_one(stream)
    ]
    return sorted(found, key=lambda one: one[0])
