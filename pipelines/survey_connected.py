"""Result tables (成果表): points of which each row names one to which it is connected."""

from dataclasses import replace

import numpy as np

from cim_core.network import Texts
from pipelines.survey import SurveyTable

_ENDS = (("start_depth", "end_depth"), ("start_elevation", "end_elevation"))


def connections(points: SurveyTable, lines: SurveyTable) -> list[SurveyTable]:
    """A table of points and one of lines, from a table that is both.

    The rows after a point's first one, which say to what else it is connected, may leave its number
    out. Each connection stands in the rows of both its points: the first is the line, the other
    gives the depth and the elevation of its end.
    """
    field = "point" if "point" in points.columns else "map_point"
    numbers = _carried(points.columns[field])
    places = zip(numbers, points.columns["x"], points.columns["y"], strict=True)
    seen: dict[tuple[str, str, str], int] = {}
    for row, place in enumerate(places):
        if place[1] or place[2]:
            seen.setdefault(place, row)
    own = np.array(list(seen.values()), np.int64)
    starts, ends = _carried(lines.columns["start"]), lines.columns["end"]
    first: dict[tuple[str, str], int] = {}
    kept: list[int] = []
    back: list[tuple[int, int]] = []
    for row in np.flatnonzero(ends != "").tolist():
        there = (starts[row], ends[row])
        other = first.get((there[1], there[0]))
        if other is not None and there not in first:
            back.append((other, row))
        else:
            kept.append(row)
        first.setdefault(there, row)
    columns = {**lines.columns, "start": starts}
    for start, end in _ENDS:
        if start in columns:
            columns[end] = _from_back(columns.get(end), columns[start], back)
    return [
        _rows(replace(points, columns={**points.columns, field: numbers}), own),
        _rows(replace(lines, columns=columns), np.array(kept, np.int64)),
    ]


def _carried(texts: Texts) -> Texts:
    """Each text, or where there is none the one above it."""
    last = np.maximum.accumulate(np.where(texts != "", np.arange(len(texts)), 0))
    carried: Texts = texts[last]
    return carried


def _from_back(end: Texts | None, start: Texts, back: list[tuple[int, int]]) -> Texts:
    found = np.full(len(start), "", object) if end is None else end.copy()
    for row, other in back:
        found[row] = found[row] or start[other]
    return found


def _rows(table: SurveyTable, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> SurveyTable:
    return replace(
        table,
        columns={field: column[rows] for field, column in table.columns.items()},
        others={header: column[rows] for header, column in table.others.items()},
        rows=table.rows[rows],
    )
