"""From survey tables to a network: what is sound is used, what is not is named with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cim_core.layer import Ground
from cim_core.mesh import Floats
from cim_core.network import Network, Rows
from pipelines.survey import SurveyTable
from pipelines.survey_lines import lines_of
from pipelines.survey_points import Locate, points_of
from pipelines.survey_values import Notes
from pipelines.survey_valves import valves_of, with_users


@dataclass(frozen=True, slots=True)
class PlacedSurvey:
    """The network of some survey tables, and where in them each of its parts comes from.

    node_tables, node_rows
        (n,) for each node the number of its table, in the order the tables were given, and the row
        in that table, counted from 0.
    segment_tables, segment_rows
        (m,) the same for each segment.
    places
        For each table (rows, 2) longitude and latitude of each of its rows, used or not; NaN where
        its coordinates cannot be read, and for all rows of tables that are not of points.
    """

    network: Network
    node_tables: Rows
    node_rows: Rows
    segment_tables: Rows
    segment_rows: Rows
    places: tuple[Floats, ...]


def survey_network(
    tables: Sequence[SurveyTable],
    locate: Locate,
    notes: Notes,
    *,
    ground: Ground | None = None,
    pipe_class: str = "",
) -> PlacedSurvey:
    """The network of survey tables; whatever is not used is put into `notes`.

    `locate` puts X and Y on earth, `ground` is the city's terrain for points without an elevation,
    `pipe_class` the letters of the class of what says none itself.
    """
    points = points_of(tables, locate, ground, notes, pipe_class)
    lines = lines_of(points, notes, pipe_class)
    nodes, valves = valves_of(points, lines.segments, tables, notes)
    nodes = with_users(points, nodes, tables, notes)
    return PlacedSurvey(
        Network(nodes, lines.segments, valves),
        points.rows.tables, points.rows.rows, lines.rows.tables, lines.rows.rows, points.places,
    )  # fmt: skip


_OF_POINTS = frozenset(
    {
        "point", "x", "y", "ground", "bottom", "bottom_depth", "feature", "appurtenance", "class",
        "angle", "connected", "depth", "top_depth", "invert_depth", "elevation", "top", "invert",
    }
)  # fmt: skip
"""Fields of points of which the nodes, or the pipes that end there, have what they say."""

_OF_LINES = frozenset(
    {
        "start", "end", "line", "connected", "class", "size", "width", "height", "wall", "material",
        "burial", "status", "owner", "road", "pressure", "voltage", "year", "flow", "length",
    }
) | {
    f"{end}_{what}"
    for end in ("start", "end")
    for what in ("depth", "top_depth", "invert_depth", "elevation", "top", "invert")
}  # fmt: skip
"""Fields of lines of which the segments have what they say."""

_WHOLE = ("holes", "used_holes", "cables", "year")
"""Fields of which whole numbers are told as such."""


def said(tables: Sequence[SurveyTable], placed: PlacedSurvey) -> dict[str, dict[str, Any]]:
    """What the tables say besides of each node and segment, by its id; empty cells are left out."""
    network = placed.network
    found: dict[str, dict[str, Any]] = {}
    parts = (
        (network.nodes.ids, placed.node_tables, placed.node_rows),
        (network.segments.ids, placed.segment_tables, placed.segment_rows),
    )
    for number, table in enumerate(tables):
        if table.kind == "valve":
            _said_of_valves(table, network, found)
        modelled = _OF_POINTS if table.kind == "point" else _OF_LINES
        columns = {name: c for name, c in table.columns.items() if name not in modelled}
        for name, column in {**table.others, **columns}.items():
            filled = column != ""
            for ids, of_tables, rows in parts:
                chosen = (of_tables == number).nonzero()[0]
                chosen = chosen[filled[rows[chosen]]]
                for identity, text in zip(ids[chosen], column[rows[chosen]], strict=True):
                    whole = name in _WHOLE and text.isdecimal()
                    found.setdefault(identity, {})[name] = int(text) if whole else text
    return found


def _said_of_valves(
    table: SurveyTable, network: Network, found: dict[str, dict[str, Any]]
) -> None:  # fmt: skip
    """What a table says of valves, put to their points; of several at one point one after the other."""
    known = set(network.nodes.ids.tolist())
    columns = {n: c for n, c in table.columns.items() if n not in ("point", "line", "connected")}
    for row, point in enumerate(table.columns["point"].tolist()):
        identity = point if point in known else f"{table.system}.{point}"
        for name, column in {**table.others, **columns}.items():
            if identity in known and column[row]:
                own = found.setdefault(identity, {})
                own[name] = "; ".join(filter(None, (own.get(name), column[row])))
