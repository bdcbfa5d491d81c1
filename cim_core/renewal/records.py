"""Records of progress, and states of buildings and households, in columns: there are many."""

from bisect import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cim_core.renewal.documents import patched
from cim_core.renewal.events import Event
from cim_core.renewal.present import in_turn
from cim_core.renewal.words import metrics, titles

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
FOREVER = 2**62
"""A day that never comes."""

_WIDE = 10_000_000
"""More days than lie between any two."""

ByDay = Mapping[str, Sequence[Event]]
"""The events of each subject, in the order of their numbers."""


@dataclass(frozen=True)
class ProgressRows:
    """Records of progress, one a row: n of each column.

    projects
        Places in `Ledger.projects`.
    metrics
        Places in the metrics of `words.toml`.
    starts, ends
        The first and the last day of the period, days since 1970.
    plans, actuals
        In the metric's unit; NaN where nothing was planned.
    verified
        Whether somebody else looked at it.
    """

    ids: tuple[str, ...]
    projects: Ints
    metrics: Ints
    starts: Ints
    ends: Ints
    plans: Floats
    actuals: Floats
    verified: Bools


@dataclass(frozen=True, slots=True)
class Twice:
    """A record that does not count, since some of its days are those of one that was told before it.

    project, metric
        Places, as in `ProgressRows`.
    start, end
        Days since 1970; `other_start` and `other_end` of the record that counts.
    """

    id: str
    project: int
    metric: int
    start: int
    end: int
    other: str
    other_start: int
    other_end: int


@dataclass(frozen=True)
class StateRows:
    """Buildings or households with their states on a day, one a row: n of each column.

    projects
        Places in `Ledger.projects`.
    states
        Places in their words (`titles("building_states")`), which are in order.
    since
        The day from which on the state holds, days since 1970.
    floor_areas, storeys
        Of buildings, as surveyed, m²; NaN where unknown.
    buildings
        Of households: the id of the building, empty without one.
    layers, features
        Of buildings: which feature of the twin each is, empty where none was named.
    persons
        Of households.
    """

    ids: tuple[str, ...]
    projects: Ints
    states: Ints
    since: Ints
    floor_areas: Floats
    storeys: Floats
    persons: Ints
    buildings: tuple[str, ...]
    layers: tuple[str, ...]
    features: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Spans:
    """From when to when states held, one a row: n of each column.

    projects, states
        As in `StateRows`.
    begins, ends
        The first day of each and the first day after it, days since 1970; `FOREVER` while it holds.
    """

    projects: Ints
    states: Ints
    begins: Ints
    ends: Ints


class Records:
    """Every version of every record of progress, in the order of record and number."""

    def __init__(self, subjects: ByDay, places: Mapping[str, int]) -> None:
        self._ids = tuple(subjects)
        order = {metric: place for place, metric in enumerate(metrics())}
        rows: list[tuple[int, int, int, int, int, int, float, float, bool, bool]] = []
        for subject, events in enumerate(subjects.values()):
            document: dict[str, Any] = {}
            for event in events:
                document = {} if event.change is None else patched(document, event.change)
                there = bool(document)
                rows.append((
                    subject, event.recorded, places[event.project],
                    order.get(document.get("metric", ""), -1),
                    _day(document["start"]) if there else 0, _day(document["end"]) if there else 0,
                    _number(document.get("plan")), _number(document.get("actual")),
                    document.get("verified_by") is not None, there,
                ))  # fmt: skip
        columns = list(zip(*rows, strict=True)) or [()] * 10
        self._subject, self._recorded, self._project, self._metric, self._start, self._end = (
            np.array(column, np.int64) for column in columns[:6]
        )
        self._plan, self._actual = (np.array(column, np.float64) for column in columns[6:8])
        self._verified, self._there = (np.array(column, np.bool_) for column in columns[8:])

    def at(self, day: date, known: int | None) -> ProgressRows:
        """The records that count whose period had ended by a day, in the last version known."""
        rows, instead = self._known(known)
        rows = rows[(self._end[rows] <= _days(day)) & (instead < 0)]
        return ProgressRows(
            tuple(self._ids[subject] for subject in self._subject[rows]),
            self._project[rows], self._metric[rows], self._start[rows], self._end[rows],
            self._plan[rows], self._actual[rows], self._verified[rows],
        )  # fmt: skip

    def twice(self, day: date, known: int | None) -> list[Twice]:
        """The others whose period had ended by a day."""
        rows, instead = self._known(known)
        aside = np.flatnonzero((self._end[rows] <= _days(day)) & (instead >= 0))
        return [
            Twice(
                self._ids[self._subject[row]], int(self._project[row]), int(self._metric[row]),
                int(self._start[row]), int(self._end[row]), self._ids[self._subject[other]],
                int(self._start[other]), int(self._end[other]),
            )
            for row, other in zip(rows[aside].tolist(), rows[instead[aside]].tolist(), strict=True)
        ]  # fmt: skip

    def _known(self, known: int | None) -> tuple[Ints, Ints]:
        """The last version known of each record, and of each the place of the one that counts instead.

        Which one counts must not go by the day asked for, or what was done by a day would shrink later.
        """
        told = np.ones(len(self._subject), bool) if known is None else self._recorded <= known
        rows = _last(self._subject, told)
        rows = rows[self._there[rows] & (self._metric[rows] >= 0)]
        cells = self._project[rows] * len(metrics()) + self._metric[rows]
        return rows, _instead(cells, self._start[rows], self._end[rows])


class States:
    """Every state of every building or household, and what else is known of each."""

    def __init__(self, words: str, subjects: ByDay, places: Mapping[str, int]) -> None:
        self._ids = tuple(subjects)
        self._documents: list[dict[str, Any]] = []  # of each event, the subject as then told
        order = {word: place for place, word in enumerate(titles(words))}
        told: list[tuple[int, int, int]] = []
        states: list[tuple[int, int, int, int]] = []
        for subject, events in enumerate(subjects.values()):
            document: dict[str, Any] = {}
            days: list[tuple[date, tuple[int, int]]] = []
            for event in events:
                if event.change is None:  # what it was like before it was removed stays known
                    days.append((event.effective, (event.recorded, -1)))
                    continue
                new, document = not document, patched(document, event.change)
                told.append((subject, event.recorded, places[event.project]))
                self._documents.append(document)
                if new or "state" in event.change:
                    state = order[document.get("state", "unsigned")]
                    days.append((event.effective, (event.recorded, state)))
            states += [(subject, _days(day), *one) for day, one in in_turn(days)]
        self._subject, self._recorded, self._project = np.array(told, np.int64).reshape(-1, 3).T
        self._of, self._day, self._told, self._state = np.array(states, np.int64).reshape(-1, 4).T

    @cached_property
    def _columns(self) -> tuple[Floats, Floats, Ints]:
        documents = self._documents
        return (
            np.array([_number(one.get("floor_area")) for one in documents], np.float64),
            np.array([_number(one.get("storeys")) for one in documents], np.float64),
            np.array([one.get("persons", 0) for one in documents], np.int64),
        )

    def at(self, day: date, known: int | None) -> StateRows:
        """What there was on a day, as far as it was known by then."""
        valid = self._day <= _days(day)
        told = np.ones(len(self._subject), bool)
        if known is not None:
            valid &= self._told <= known
            told = self._recorded <= known
        states = _last(self._of, valid)
        states = states[self._state[states] >= 0]
        described = np.full(len(self._ids), -1)
        rows = _last(self._subject, told)
        described[self._subject[rows]] = rows
        rows = described[self._of[states]]
        areas, storeys, persons = self._columns
        documents = [self._documents[row] for row in rows]

        def texts(name: str) -> tuple[str, ...]:
            return tuple(document.get(name) or "" for document in documents)

        return StateRows(
            tuple(self._ids[subject] for subject in self._of[states]),
            self._project[rows], self._state[states], self._day[states], areas[rows], storeys[rows],
            persons[rows], texts("building"), texts("layer"), texts("feature"), texts("name"),
        )  # fmt: skip

    def spans(self, known: int | None) -> Spans:
        """The states of all days, as far as they were known by a moment."""
        told = np.arange(len(self._of)) if known is None else np.flatnonzero(self._told <= known)
        of, begins, states = self._of[told], self._day[told], self._state[told]
        ends = np.full(len(told), FOREVER)
        followed = np.flatnonzero(of[1:] == of[:-1])
        ends[followed] = begins[followed + 1]
        projects = np.zeros(len(self._ids), np.int64)
        projects[self._subject] = self._project
        held = (states >= 0) & (begins < ends)
        return Spans(projects[of[held]], states[held], begins[held], ends[held])


def _last(groups: Ints, mask: Bools) -> Ints:
    """The last row of each group that the mask lets through; rows of a group are together."""
    rows = np.flatnonzero(mask)
    if len(rows) == 0:
        return rows
    mine = groups[rows]
    last: Ints = rows[np.append(mine[1:] != mine[:-1], True)]
    return last


def _instead(cells: Ints, starts: Ints, ends: Ints) -> Ints:
    """Of each row the row that counts instead, -1 of those that count; rows as they were first told.

    A row does not count if some of its days are those of a row of its cell that was told before.
    """
    found = np.full(len(cells), -1)
    order = np.lexsort((starts, cells))
    apart = cells[order] * _WIDE
    reached = np.maximum.accumulate(ends[order] + apart)
    touching = (starts[order] + apart)[1:] <= reached[:-1]
    for cell in np.unique(cells[order][1:][touching]).tolist():
        counted: list[tuple[int, int, int]] = []  # no two of them have a day in common
        for row in np.flatnonzero(cells == cell).tolist():
            start, end = int(starts[row]), int(ends[row])
            place = bisect(counted, (start, end, row))
            near = counted[max(place - 1, 0) : place + 1]
            others = [other for first, last, other in near if first <= end and start <= last]
            if others:
                found[row] = others[0]
            else:
                counted.insert(place, (start, end, row))
    return found


def _days(day: date) -> int:
    return day.toordinal() - _EPOCH


_EPOCH = date(1970, 1, 1).toordinal()


def _day(text: str) -> int:
    return _days(date.fromisoformat(text))


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)
