"""Survey tables as the check sees them: points and lines of all tables in columns, end to end."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cim_core.checkin import Finding, Rule
from cim_core.frame import Frame
from cim_core.mesh import Floats
from cim_core.network import Labels, NodeKind, Rows, Texts, flat
from pipelines.dictionary import pipe_class
from pipelines.network_layer import node_class
from pipelines.quality_rows import Stack
from pipelines.survey import SurveyTable
from pipelines.survey_classes import classes_of, systems_of
from pipelines.survey_network import PlacedSurvey

Findings = Iterator[Finding]

GRAVITY = "PS"
"""The class of pipes in which things run down by themselves."""


@dataclass(frozen=True, eq=False)
class CheckedSurvey:
    """Survey tables beside the network made of them; columns are made when first asked for.

    city
        Where the city has its anchor, None where it has no place yet.
    """

    tables: Sequence[SurveyTable]
    placed: PlacedSurvey
    city: Frame | None = None

    @cached_property
    def points(self) -> Stack:
        """The rows of all point tables."""
        return Stack(self.tables, "point")

    @cached_property
    def lines(self) -> Stack:
        """The rows of all line tables."""
        return Stack(self.tables, "line")

    @cached_property
    def users(self) -> Stack:
        """The rows of all tables of customers."""
        return Stack(self.tables, "user")

    @cached_property
    def valves(self) -> Stack:
        """The rows of all tables of valves."""
        return Stack(self.tables, "valve")

    # --- numbers of points, and who refers to them

    @cached_property
    def point_numbers(self) -> Texts:
        """(p,) the number of each point; where a table has none, the one on the map."""
        own = self.points.texts("point")
        return np.where(own == "", self.points.texts("map_point"), own)

    @cached_property
    def _codes(self) -> dict[str, int]:
        """Each way a point number is written, numbered."""
        codes: dict[str, int] = {}
        for text in (*self.point_numbers.tolist(), *self.points.texts("map_point").tolist()):
            codes.setdefault(text, len(codes))
        return codes

    def _coded(self, texts: Texts) -> Rows:
        get = self._codes.get
        return np.array([get(text, -1) if text else -1 for text in texts.tolist()], np.int64)

    @cached_property
    def _point_codes(self) -> tuple[Rows, Rows]:
        """(p,) the number of each point, coded, and that on the map."""
        return self._coded(self.point_numbers), self._coded(self.points.texts("map_point"))

    @cached_property
    def _scopes(self) -> tuple[tuple[Rows, int], ...]:
        """By table, a number for its class, for that one's class and for all, and how many there are."""
        names = [table.system for table in self.tables]
        levels = (names, [pipe_class(name).system for name in names], [""] * len(names))
        return tuple((numbered(level), len(names) + 1) for level in levels)

    @cached_property
    def point_keys(self) -> Rows:
        """(p,) the number of each point as a whole number that differs by class of pipes, too."""
        scopes, count = self._scopes[0]
        return self._point_codes[0] * count + scopes[self.points.tables]

    @cached_property
    def ends(self) -> Rows:
        """(l, 2) the point at the start and the end of each line, the first of its number; -1 for none."""
        found = [self.point_of(self.lines, field) for field in ("start", "end")]
        return np.column_stack(found).reshape(-1, 2)

    def point_of(self, stack: Stack, field: str) -> Rows:
        """(n,) the point whose number stands in a field, -1 for none.

        Points of the same class come first, then of the class that one belongs to, then all others;
        a number on the map is as good where no point has it as its own. Of several the first counts.
        """
        found = np.full(len(stack), -1)
        wanted = self._coded(stack.texts(field))
        for scopes, count in self._scopes:
            for codes in self._point_codes:
                missing = np.flatnonzero((found < 0) & (wanted >= 0))
                if len(missing) and len(self.points):
                    keys = codes * count + scopes[self.points.tables]
                    found[missing] = first_with(
                        np.where(codes < 0, -1, keys),
                        wanted[missing] * count + scopes[stack.tables[missing]],
                    )
        return found

    # --- the network's own rows

    @cached_property
    def node_of(self) -> Rows:
        """(p,) the node made of each point, -1 where it was not used."""
        return self._made(self.points, self.placed.node_tables, self.placed.node_rows)

    @cached_property
    def segment_of(self) -> Rows:
        """(l,) the segment made of each line, -1 where it was not used."""
        return self._made(self.lines, self.placed.segment_tables, self.placed.segment_rows)

    @cached_property
    def line_of(self) -> Rows:
        """(m,) the line each segment was made of, -1 where it is of another table."""
        return self.lines.at(self.placed.segment_tables, self.placed.segment_rows)

    @staticmethod
    def _made(stack: Stack, tables: Rows, rows: Rows) -> Rows:
        found = np.full(len(stack), -1)
        at = stack.at(tables, rows)
        of = np.flatnonzero(at >= 0)
        found[at[of]] = of
        return found

    @cached_property
    def systems(self) -> Texts:
        """(m,) the letters of the class of pipes of each segment."""
        return systems_of(self.placed.network.segments.classes).texts()

    @cached_property
    def line_systems(self) -> Texts:
        """(l,) the letters of the class of pipes of each line."""
        found = systems_of(classes_of(self.lines.joined, self.lines.texts("start"))).texts()
        used = self.segment_of >= 0
        found[used] = self.systems[self.segment_of[used]]
        return found

    @cached_property
    def point_systems(self) -> Texts:
        """(p,) the letters of the class of pipes of each point."""
        return systems_of(classes_of(self.points.joined, self.point_numbers)).texts()

    @cached_property
    def line_burials(self) -> Texts:
        """(l,) how each line is buried, by the dictionary where it is used."""
        found = self.lines.texts("burial").copy()
        used = self.segment_of >= 0
        found[used] = self.placed.network.segments.burials.texts()[self.segment_of[used]]
        return found

    @cached_property
    def words_at(self) -> Labels:
        """(p,) the feature of each point, else its appurtenance."""
        features, others = self.points.texts("feature"), self.points.texts("appurtenance")
        return Labels.of(np.where(features == "", others, features).tolist())

    # --- depths and heights, as they are written

    @cached_property
    def point_metres(self) -> Floats:
        """(p, 2) metres east and north of the middle of all points; NaN where not known."""
        found = np.full((len(self.points), 2), np.nan)
        known = np.isfinite(self.point_places).all(axis=1)
        if known.any():
            lon, lat = np.median(self.point_places[known], axis=0).tolist()
            found[known] = flat(self.point_places[known], Frame(lon, lat, 0.0))
        return found

    @cached_property
    def point_depth(self) -> Floats:
        """(p,) the depth of the pipe at each point, where the point table says it."""
        return self._said(self.points, "depth", "invert_depth", "top_depth")

    @cached_property
    def point_level(self) -> Floats:
        """(p,) the elevation of the pipe at each point, where the point table says it."""
        return self._said(self.points, "elevation", "invert", "top")

    @cached_property
    def depths(self) -> Floats:
        """(2, l) the depth of each line at its start and its end."""
        ends = ("start", "end")
        return np.stack([self._said(self.lines, f"{end}_depth", f"{end}_invert_depth", f"{end}_top_depth") for end in ends])  # fmt: skip

    @cached_property
    def levels(self) -> Floats:
        """(2, l) the elevation of each line at its start and its end, where it is said."""
        ends = ("start", "end")
        return np.stack([self._said(self.lines, f"{end}_elevation", f"{end}_invert", f"{end}_top") for end in ends])  # fmt: skip

    @cached_property
    def heights(self) -> Floats:
        """(l, 2) the elevation of each line at both ends, as the network has it where it is used."""
        ground = np.append(self.points.values("ground"), np.nan)[self.ends]
        found = np.where(np.isnan(self.levels.T), ground - self.depths.T, self.levels.T)
        used = self.segment_of >= 0
        found[used] = self.placed.network.segments.elevations[self.segment_of[used]]
        return found

    def _said(self, stack: Stack, plainly: str, of_gravity: str, of_others: str) -> Floats:
        """Numbers of a field, or of that for the bottom of drainage and the top of all else."""
        systems = self.line_systems if stack is self.lines else self.point_systems
        own = np.where(systems == GRAVITY, stack.values(of_gravity), stack.values(of_others))
        said = stack.values(plainly)
        return np.where(np.isnan(said), own, said)

    # --- findings

    @cached_property
    def point_places(self) -> Floats:
        """(p, 2) longitude and latitude of each point."""
        places = [self.placed.places[at] for at in self.points.numbers]
        return np.concatenate([np.empty((0, 2)), *places])

    def on_table(self, rule: Rule, table: SurveyTable, value: float | str) -> Finding:
        """A finding on a table as a whole: its headers."""
        line = max(int(table.rows[0]) - 1, 1) if len(table) else 1
        return Finding(rule.id, value, table=table.name, line=line)

    def on_row(
        self, rule: Rule, stack: Stack, row: int, value: float | str | None = None,
        limit: str | None = None, **words: str,
    ) -> Finding:  # fmt: skip
        """A finding on a row of any table."""
        if stack is self.points:
            return self.on_point(rule, row, value, limit, **words)
        if stack is self.lines:
            return self.on_line(rule, row, value, limit, at=None, **words)
        table, line = stack.where(row)
        name = str(stack.texts(stack.kind)[row] or stack.texts("point")[row])
        return Finding(rule.id, value, limit, name=name, words=words, table=table, line=line)

    def on_point(
        self, rule: Rule, row: int, value: float | str | None = None, limit: str | None = None,
        **words: str,
    ) -> Finding:  # fmt: skip
        """A finding on a point."""
        table, line = self.points.where(row)
        node, nodes = int(self.node_of[row]), self.placed.network.nodes
        place = _place(np.append(self.point_places[row], self.points.values("ground")[row]))
        return Finding(
            rule.id, value, limit, nodes.ids[node] if node >= 0 else None,
            node_class(NodeKind(nodes.kinds[node])) if node >= 0 else "",
            str(self.point_numbers[row]), None, place, words, table, line,
        )  # fmt: skip

    def on_line(
        self, rule: Rule, row: int, value: float | str | None = None, limit: str | None = None,
        *, at: int | None = None, **words: str,
    ) -> Finding:  # fmt: skip
        """A finding on a line: at its start, 0, at its end, 1, or between the two."""
        table, line = self.lines.where(row)
        segment, segments = int(self.segment_of[row]), self.placed.network.segments
        return Finding(
            rule.id, value, limit, segments.ids[segment] if segment >= 0 else None,
            segments.classes.text(segment) if segment >= 0 else "", self.line_name(row), None,
            _place(self._line_places[2 if at is None else at][row]), words, table, line,
        )  # fmt: skip

    def line_name(self, row: int) -> str:
        """A line by its points, as they are written."""
        return f"{self.lines.texts('start')[row] or '?'}–{self.lines.texts('end')[row] or '?'}"

    @cached_property
    def _line_places(self) -> tuple[Floats, Floats, Floats]:
        """(l, 3) places of each line's start and end, where those are known, and of its middle."""
        places = np.vstack([self.point_places, np.full((1, 2), np.nan)])[self.ends]
        ends = np.concatenate([places, self.heights[..., None]], axis=2)
        known = np.isfinite(places).all(axis=2)
        ends[~known] = np.nan
        count = np.maximum(known.sum(axis=1), 1)[:, None]
        middle = np.where(known[..., None], ends, 0.0).sum(axis=1) / count
        middle[~known.any(axis=1)] = np.nan
        start, end = (np.where(known[:, [at]], ends[:, at], middle) for at in (0, 1))
        return start, end, middle


def _place(lon_lat_height: Floats) -> tuple[float, float, float | None] | None:
    lon, lat, height = lon_lat_height.tolist()
    if math.isnan(lon):
        return None
    return lon, lat, None if math.isnan(height) else height


def numbered(names: Sequence[str]) -> Rows:
    """(n,) a number for each name, the same for the same one."""
    known: dict[str, int] = {}
    return np.array([known.setdefault(name, len(known)) for name in names], np.int64)


def first_with(keys: Rows, wanted: Rows) -> Rows:
    """(w,) the first row that has each wanted key, -1 for none.

    >>> first_with(np.array([7, 5, 7]), np.array([7, 6])).tolist()
    [0, -1]
    """
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    at = np.minimum(np.searchsorted(ordered, wanted), len(order) - 1)
    return np.where(ordered[at] == wanted, order[at], -1)
