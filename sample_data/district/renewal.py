"""A renewal campaign of sixty projects as one ordinary file of dated changes, and the towns it needs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sample_data.district.renewal_course import courses
from sample_data.district.renewal_events import (
    Event,
    building_events,
    holding,
    household_events,
    project_events,
    share_households,
)
from sample_data.district.renewal_orders import order_events
from sample_data.district.renewal_sites import AREAS, BUILDINGS, sites
from sample_data.district.renewal_weeks import record_events, stage_events, task_events
from sample_data.district.renewal_wrong import spoil
from sample_data.district.tables import Table

__all__ = ["AREAS", "BUILDINGS", "lines", "renewal"]

_RANKS = {"project": 0, "building": 1, "household": 2}


def renewal(folder: Path, seed: int) -> tuple[list[Event], dict[str, Table]]:
    """What was recorded, in that order, and the towns around the district by the id of their layer.

    The district's own buildings and parcels are taken from its files in the folder.
    """
    places, areas, buildings = sites(folder, seed)
    gone = courses(places, seed)
    holdings = [
        holding(course, of, seed)
        for course, of in zip(gone, share_households(gone, seed), strict=True)
    ]
    events: list[Event] = []
    first = 1
    for one in holdings:
        events += project_events(one, seed)
        events += building_events(one, seed)
        events += household_events(one, first, seed)
        events += record_events(one, seed)
        events += stage_events(one, seed)
        events += task_events(one, seed)
        first += len(one.of)
    events += order_events(holdings, seed)
    events = _as_told(spoil(events, holdings))
    return events, {AREAS: areas, BUILDINGS: buildings}


def lines(events: list[Event]) -> Iterator[str]:
    """The lines of the file: one change each."""
    for event in events:
        row = {
            "recorded": f"{event.recorded.isoformat(timespec='seconds')}+08:00",
            "effective": event.effective.isoformat(), "kind": event.kind, "id": event.id,
            "change": event.change, "name": event.name,
        }  # fmt: skip
        yield json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def _as_told(events: list[Event]) -> list[Event]:
    """By the moment of recording; of one thing nothing before what held first."""
    last: dict[tuple[str, str], datetime] = {}
    for event in sorted(events, key=lambda event: event.effective):
        key = (event.kind, event.id)
        event.recorded = max(event.recorded, last.get(key, event.recorded))
        last[key] = event.recorded
    return sorted(
        events, key=lambda event: (event.recorded, _RANKS.get(event.kind, 3), event.effective)
    )
