"""What of the rows somebody sent can be believed."""

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cim_core.network import Labels
from cim_core.store.traffic_refused import Reason
from cim_core.traffic.moving import ControllerEvents, M, Moving, Positions, take
from pipelines.v2x_heard import Notice
from server.sifting import Bounds
from server.traffic.given import Refusal


def believed(what: M, bounds: Bounds, now: int) -> tuple[M, list[Refusal]]:
    """The rows that can be, and the others by the reason for which they cannot.

    Events of controllers may be as old as they like: their logs are fetched later.
    """
    future = what.times > now + bounds.ahead
    late = what.times < now - bounds.late
    if isinstance(what, ControllerEvents):
        late = what.times < 0
    found: list[tuple[Reason, NDArray[np.bool_]]] = [("future", future), ("late", late)]
    if isinstance(what, Positions) and bounds.box is not None:
        west, south, east, north = bounds.box
        inside = (what.lon >= west) & (what.lon <= east) & (what.lat >= south) & (what.lat <= north)
        found.append(("outside", ~inside & ~future & ~late))
    wrong = np.zeros(len(what), bool)
    refused = []
    for reason, rows in found:
        count = int(rows.sum())
        if count:
            first = _row(what, int(np.argmax(rows)))
            refused.append(Refusal(reason, _detail(reason, count, bounds), first, rows=count))
            wrong |= rows
    return (take(what, ~wrong) if refused else what), refused


def believed_notices(
    notices: Sequence[Notice], bounds: Bounds
) -> tuple[tuple[Notice, ...], list[Refusal]]:
    """What is warned of in the city, or of no place; the others are refused together."""
    outside = [one for one in notices if one.place is not None and not _inside(*one.place, bounds)]
    if not outside:
        return tuple(notices), []
    first = json.dumps({"id": outside[0].id, "place": outside[0].place}, ensure_ascii=False)
    detail = _detail("outside", len(outside), bounds)
    kept = tuple(one for one in notices if one not in outside)
    return kept, [Refusal("outside", detail, first, rows=len(outside))]


def _inside(lon: float, lat: float, bounds: Bounds) -> bool:
    if bounds.box is None:
        return True
    west, south, east, north = bounds.box
    return west <= lon <= east and south <= lat <= north


def _detail(reason: Reason, rows: int, bounds: Bounds) -> str:
    if reason == "future":
        minutes = bounds.ahead / 60_000
        return f"{rows} rows are more than {minutes:g} minutes ahead; set the clock of the device"
    if reason == "late":
        hours = bounds.late / 3_600_000
        return f"{rows} rows are older than {hours:g} hours; set the clock of the device, or send sooner"
    return f"{rows} rows are far outside the city; give degrees of WGS84"


def _row(what: Moving, row: int) -> str:
    """One row, as JSON."""
    told: dict[str, Any] = {}
    for f in fields(what):
        column = getattr(what, f.name)
        value = column.text(row) if isinstance(column, Labels) else column[row].item()
        told[f.name] = None if value != value else value  # noqa: PLR0124 – NaN
    return json.dumps(told, ensure_ascii=False)
