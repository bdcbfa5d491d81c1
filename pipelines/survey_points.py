"""The points of survey tables: which are used, where they lie, and how lines name them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cim_core.importers.attributes import unique_ids
from cim_core.layer import Dropped, Ground
from cim_core.mesh import Floats
from cim_core.network import Labels, NodeKind, Nodes, Rows, Texts
from pipelines.dictionary import node_kind, pipe_class
from pipelines.survey import SurveyTable
from pipelines.survey_classes import classes_of
from pipelines.survey_values import JoinedRows, Notes

Locate = Callable[[Floats, Rows], Floats]
"""(n, 2) X (northing) and Y (easting) as the tables have them, and (n,) the number of each one's
table → (n, 2) longitude and latitude, NaN where a place cannot be in their reference system."""

Measures = dict[str, Floats]
"""What a point says of the pipe at it: "depth", "elevation" and those of its top and invert."""

_MEASURES = ("depth", "top_depth", "invert_depth", "elevation", "top", "invert")


@dataclass(frozen=True, slots=True)
class Points:
    """The nodes, the rows they come from, and how lines find them.

    measures
        What each node says of the pipe at it, (n,) each.
    places
        For each table (rows, 2) longitude and latitude, NaN where it has none.
    """

    nodes: Nodes
    rows: JoinedRows
    measures: Measures
    places: tuple[Floats, ...]
    _numbers: Sequence[dict[str, int]]
    _groups: dict[str, int]

    def find(self, numbers: Texts, letters: str) -> Rows:
        """The node of each point number, (k,), -1 for none.

        Points of tables of the same class come first, then of the same system, then all others.
        """
        found = np.full(len(numbers), -1, np.int64)
        system = pipe_class(letters).system
        for group in dict.fromkeys((letters, f"{system}*", "*")):
            known = self._groups.get(group)
            if known is None:
                continue
            missing = np.flatnonzero(found < 0)
            if not len(missing):
                break
            get = self._numbers[known].get
            found[missing] = [get(text, -1) for text in numbers[missing].tolist()]
        return found


def points_of(
    tables: Sequence[SurveyTable], locate: Locate, ground: Ground | None, notes: Notes, said: str
) -> Points:
    """The sound rows of all point tables as nodes; `said` as in `classes_of`."""
    rows = JoinedRows.of(tables, "point")
    numbers = rows.texts("point", "map_point")
    survey = np.column_stack([rows.numbers("x", notes), rows.numbers("y", notes)])
    placed = np.full((len(rows), 2), np.nan)
    known = np.asarray(np.isfinite(survey).all(axis=1), bool)
    placed[known] = locate(survey[known], rows.tables[known])
    on_earth = np.asarray(np.isfinite(placed).all(axis=1), bool)
    groups = rows.names()
    first = _first(numbers, groups, on_earth)
    _note(rows, numbers, known, on_earth, first, notes)
    used = np.flatnonzero(on_earth & (first == np.arange(len(rows))))
    kept = rows[used]
    classes = classes_of(kept, numbers[used], said)
    nodes = _nodes(kept, numbers[used], placed[used], classes, groups[used], ground, notes)
    measures = {name: kept.numbers(name, notes) for name in _MEASURES if kept.has(name)}
    index, where = _index(numbers[used], kept.texts("map_point"), groups[used])
    return Points(nodes, kept, measures, _by_table(tables, rows, placed), index, where)


def _first(numbers: Texts, groups: Labels, sound: NDArray[np.bool_]) -> Rows:
    """For each row the first sound one of the same class with the same number; -1 for no number."""
    known: dict[tuple[str, int], int] = {}
    first = np.full(len(numbers), -1, np.int64)
    rows = np.flatnonzero(sound & (numbers != ""))
    first[rows] = [
        known.setdefault((number, group), row)
        for number, group, row in zip(
            numbers[rows].tolist(), groups.codes[rows].tolist(), rows.tolist(), strict=True
        )
    ]
    return first


def _note(
    rows: JoinedRows, numbers: Texts, known: NDArray[np.bool_], on_earth: NDArray[np.bool_],
    first: Rows, notes: Notes,
) -> None:  # fmt: skip
    for row in np.flatnonzero(~on_earth | (first != np.arange(len(rows)))).tolist():
        if not known[row]:
            reason = "its X and Y cannot be read"
        elif not on_earth[row]:
            reason = "it lies outside the area of its reference system"
        elif first[row] < 0:
            reason = "it has no point number"
        else:
            reason = f"its point number stands before, in {rows.line(int(first[row]))}"
        notes.dropped.append(Dropped(numbers[row] or rows.line(row), rows.line(row), reason))


def _nodes(
    rows: JoinedRows, numbers: Texts, places: Floats, classes: Labels, groups: Labels,
    ground: Ground | None, notes: Notes,
) -> Nodes:  # fmt: skip
    features, appurtenances = rows.texts("feature"), rows.texts("appurtenance")
    heights = _ground(rows.numbers("ground", notes), places, ground, notes)
    depths = rows.numbers("bottom_depth", notes)
    bottom = rows.numbers("bottom", notes)
    # A depth of nothing stands where nobody looked into anything.
    bottom = np.where(np.isfinite(bottom), bottom, heights - np.where(depths > 0, depths, np.nan))
    nodes = Nodes.bare(_ids(numbers, groups), places)
    return replace(
        nodes,
        ground=heights,
        bottom=bottom,
        kinds=_kinds(features, appurtenances, rows.texts("code"), classes),
        features=Labels.of(np.where(appurtenances != "", appurtenances, features).tolist()),
        turns=rows.numbers("angle", notes),
    )


def _ground(heights: Floats, places: Floats, ground: Ground | None, notes: Notes) -> Floats:
    missing = np.flatnonzero(np.isnan(heights))
    if not len(missing):
        return heights
    if ground is not None:
        heights[missing] = ground(places[missing])
    left = int(np.isnan(heights[missing]).sum())
    if len(missing) > left:
        notes.warnings.append(
            f"{len(missing) - left} points have no ground elevation; that of the city's terrain was taken"
        )
    if left:
        notes.warnings.append(
            f"{left} points have no ground elevation, and the city has no terrain there; depths "
            "measured from it are not used"
        )
    return heights


def _ids(numbers: Texts, groups: Labels) -> list[str]:
    """An id of each node: its number, with the letters of its table where others have it too."""
    found: list[str] = numbers.tolist()
    counts = Counter(found)
    if len(counts) == len(found):
        return found
    letters = groups.texts().tolist()
    return unique_ids(
        f"{letter}.{number}" if counts[number] > 1 and letter else number
        for letter, number in zip(letters, found, strict=True)
    )


def _kinds(
    features: Texts, appurtenances: Texts, codes: Texts, classes: Labels
) -> NDArray[np.int8]:
    said = zip(features.tolist(), appurtenances.tolist(), codes.tolist(), strict=True)
    known: dict[tuple[str, str, str], int] = {}
    combination = np.array([known.setdefault(words, len(known)) for words in said], np.int64)
    systems = [*(pipe_class(name).system for name in classes.names), ""]
    table = np.array(
        [[node_kind(*words, system) for system in systems] for words in known], np.int8
    ).reshape(-1, len(systems))
    found: NDArray[np.int8] = table[combination, classes.codes]
    return found


def _index(
    numbers: Texts, others: Texts, groups: Labels
) -> tuple[list[dict[str, int]], dict[str, int]]:
    """Nodes by point number, for each class, each system and all; the first of several counts.

    A number on the map (图上点号) is as good where no point has it as its own.
    """
    found: list[dict[str, int]] = []
    where: dict[str, int] = {}
    letters = [*groups.names, ""]
    of_group: dict[str, list[Any]] = {}
    for code, name in enumerate(letters):
        rows = np.flatnonzero(groups.codes == (code if code < len(groups.names) else -1))
        for group in (name, f"{pipe_class(name).system}*", "*"):
            of_group.setdefault(group, []).append(rows)
    for group, parts in of_group.items():
        rows = np.sort(np.concatenate(parts))
        known: dict[str, int] = {}
        for texts in (numbers, others):
            chosen = texts[rows].tolist()
            own = dict(zip(reversed(chosen), reversed(rows.tolist()), strict=True))
            known = {**own, **known}
        known.pop("", None)
        where[group] = len(found)
        found.append(known)
    return found, where


def _by_table(
    tables: Sequence[SurveyTable], rows: JoinedRows, placed: Floats
) -> tuple[Floats, ...]:
    found = []
    for number, table in enumerate(tables):
        places = np.full((len(table), 2), np.nan)
        own = rows.tables == number
        if own.any():
            places[rows.rows[own]] = placed[own]
        found.append(places)
    return tuple(found)


def kinds_set(nodes: Nodes, rows: Rows, kind: NodeKind) -> Nodes:
    """The nodes with some of them of another kind."""
    kinds = nodes.kinds.copy()
    kinds[rows] = kind
    return replace(nodes, kinds=kinds)
