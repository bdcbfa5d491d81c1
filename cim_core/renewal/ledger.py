"""All that was recorded of renewal, to be asked for any day.

Two times matter. A change holds from its *effective* day on, and was *recorded* at a moment. What is
asked `at` a day is made of the changes that were effective by then; with `known`, of those only
that had been recorded by that moment: what the wall map showed then, before later corrections.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Literal

from cim_core.renewal.documents import Kind, patched
from cim_core.renewal.events import Event
from cim_core.renewal.present import in_turn
from cim_core.renewal.records import ProgressRows, Records, Spans, StateRows, States, Twice

Told = Literal["project", "task", "order", "evidence"]


@dataclass(frozen=True, slots=True)
class Standing:
    """A subject as it stood on a day.

    version
        Of the last event that made it so.
    since, changed
        The days from which on its first and its last change hold.
    """

    id: str
    project: str
    document: Mapping[str, Any]
    version: int
    since: date
    changed: date


class Ledger:
    """Events in the order of their numbers, and what they amount to. It never changes.

    projects
        The ids of all projects there ever were, sorted; rows of records name them by place.
    """

    def __init__(self, events: Iterable[Event]) -> None:
        self.events: Sequence[Event] = tuple(events)
        self.revision = self.events[-1].seq if self.events else 0
        self.projects = tuple(sorted({event.project for event in self.events}))
        self._subjects: dict[Kind, dict[str, list[Event]]] = defaultdict(lambda: defaultdict(list))
        for event in self.events:
            self._subjects[event.kind][event.id].append(event)

    def with_events(self, events: Iterable[Event]) -> "Ledger":
        """This ledger with more events after its own."""
        return Ledger((*self.events, *events))

    def of_projects(self, projects: frozenset[str]) -> "Ledger":
        """The events of some projects only; the revision stays."""
        part = Ledger(event for event in self.events if event.project in projects)
        part.revision = self.revision
        return part

    @property
    def span(self) -> tuple[date, date] | None:
        """From the day on which the first project was there to the last effective day, if any."""
        begun = [e.effective for e in self.events if e.kind == "project" and e.version == 1]
        return (min(begun), max(event.effective for event in self.events)) if begun else None

    def documents(
        self, kind: Told, at: date, known: int | None = None, project: str | None = None
    ) -> dict[str, Standing]:
        """What there was of a kind on a day, by id; `known` in milliseconds since 1970."""
        found = {}
        for key, events in self._subjects[kind].items():
            if project is None or events[0].project == project:
                standing = _folded(events, at, known)
                if standing is not None:
                    found[key] = standing
        return found

    def progress(self, at: date, known: int | None = None) -> ProgressRows:
        """The records of progress whose period had ended by a day, without those of `twice`."""
        return self._progress.at(at, known)

    def twice(self, at: date, known: int | None = None) -> list[Twice]:
        """The records of such periods that do not count, since their days are reported already."""
        return self._progress.twice(at, known)

    def buildings(self, at: date, known: int | None = None) -> StateRows:
        """The buildings with their states on a day."""
        return self._buildings.at(at, known)

    def households(self, at: date, known: int | None = None) -> StateRows:
        """The households with their states on a day, without anything personal."""
        return self._households.at(at, known)

    def building_spans(self, known: int | None = None) -> Spans:
        """From when to when the states of buildings held."""
        return self._buildings.spans(known)

    def household_spans(self, known: int | None = None) -> Spans:
        """From when to when the states of households held."""
        return self._households.spans(known)

    @cached_property
    def _progress(self) -> Records:
        return Records(self._subjects["progress"], self._places)

    @cached_property
    def _buildings(self) -> States:
        return States("building_states", self._subjects["building"], self._places)

    @cached_property
    def _households(self) -> States:
        return States("household_states", self._subjects["household"], self._places)

    @property
    def _places(self) -> dict[str, int]:
        return {project: place for place, project in enumerate(self.projects)}


def _folded(events: Sequence[Event], at: date, known: int | None) -> Standing | None:
    told = [
        (event.effective, event) for event in events if known is None or event.recorded <= known
    ]
    begun = bool(told) and told[0][1].version == 1  # a clock that was put back may hide that
    valid = [one for one in in_turn(told) if one[0] <= at] if begun else []
    document: dict[str, Any] | None = None
    for _, event in valid:
        document = None if event.change is None else patched(document or {}, event.change)
    if document is None:
        return None
    (since, first), (changed, _) = valid[0], valid[-1]
    version = max(event.version for _, event in valid)
    return Standing(first.id, first.project, document, version, since, changed)
