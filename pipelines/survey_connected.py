"""Result tables (成果表): points of which each row names one to which it is connected."""

from dataclasses import replace

import numpy as np

from cim_core.network import Texts
from pipelines.dictionary import standard_word
from pipelines.sizes import parse_size
from pipelines.survey import SurveyTable

_ENDS = (("start_depth", "end_depth"), ("start_elevation", "end_elevation"))


def connections(points: SurveyTable, lines: SurveyTable) -> tuple[list[SurveyTable], list[str]]:
    """A table of points and one of lines, from a table that is both, and what is to be said of it.

    The rows after a point's first one, which say to what else it is connected, may leave its number
    out. Each connection stands in the rows of both its points: the first is the line, the other
    gives the depth and the elevation of its end. A point of which no row has X or Y stays a row, so
    that it is told of like all that have no place.
    """
    field = "point" if "point" in points.columns else "map_point"
    numbers = _carried(points.columns[field])
    places = list(zip(numbers, points.columns["x"], points.columns["y"], strict=True))
    placed = {number for number, x, y in places if x or y}
    seen: dict[tuple[str, str, str], int] = {}
    for row, place in enumerate(places):
        if place[1] or place[2] or place[0] not in placed:
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
    tables = [
        _rows(replace(points, columns={**points.columns, field: numbers}), own),
        _rows(replace(lines, columns=columns), np.array(kept, np.int64)),
    ]
    return tables, _contradictions(lines, back)


def _contradictions(lines: SurveyTable, back: list[tuple[int, int]]) -> list[str]:
    """What the two rows of a connection say differently of its size or material."""
    odd = {
        pair: None
        for field, plain in (("size", _plain_size), ("material", _plain_material))
        if (column := lines.columns.get(field)) is not None
        for pair in back
        if all(column[list(pair)]) and plain(column[pair[0]]) != plain(column[pair[1]])
    }
    if not odd:
        return []
    row, other = min(odd)
    return [
        f"{len(odd)} connections of {lines.name} have another size or material in the row of their "
        f"other point; the first row counts, as in line {lines.rows[row]} and not line {lines.rows[other]}"
    ]


def _plain_size(text: str) -> str:
    return repr(parse_size(text) or text)


def _plain_material(text: str) -> str:
    return standard_word("materials", text)


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
