"""Layers of pipes and nodes as rows: shapes on earth, and what is said of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import shapely

from cim_core.archives import bring_in, default_limits
from cim_core.errors import InvalidInput
from cim_core.importers.attributes import scalars, unique_ids
from cim_core.importers.placing import Place
from cim_core.importers.table_shapes import PlacedTable, Report, read_tables
from cim_core.layer import Dropped, Placement, Source
from cim_core.progress import Progress
from pipelines.edge_columns import Kind, as_text, roles_of

_ENDINGS = (".gpkg", ".geojson", ".json", ".fgb", ".parquet", ".geoparquet", ".shp")
"""Of the layers that are read from a folder."""

_LINES, _POINTS = (1, 5), (0, 4)
"""shapely's numbers of lines and of points, one and many."""


@dataclass(slots=True)
class Rows:
    """The lines, or the points, of some tables.

    kind
        Which of the two.
    shapes
        In longitude, latitude and, where they have heights, metres in the city's datum.
    ids
        As the tables have them, else made of the table's name and the row's number.
    values
        By role, one for each shape; None where its table does not say.
    said
        All that the tables say of each.
    places
        The table and the row each is from, counted from 1.
    """

    kind: Kind
    shapes: list[shapely.Geometry] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    values: dict[str, list[Any]] = field(default_factory=dict)
    said: list[Mapping[str, Any]] = field(default_factory=list)
    places: list[tuple[str, int]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.shapes)

    def column(self, role: str) -> Sequence[Any]:
        """The values of a role, one for each shape."""
        return self.values.get(role, [None] * len(self))

    def texts(self, role: str) -> list[str]:
        """The values of a role as texts, empty for none."""
        return [as_text(value) for value in self.column(role)]

    def add(self, item: PlacedTable, chosen: Sequence[int], options: Mapping[str, str], name: str) -> None:  # fmt: skip
        """Add some of a table's shapes, by their number."""
        columns = item.table.columns
        roles = roles_of(self.kind, list(columns), options, name)
        before = len(self)
        identity = roles.get(self.kind)
        for number in chosen:
            row = int(item.kept[number])
            own = as_text(columns[identity][row]) if identity else ""
            self.shapes.append(item.shapes[number])
            self.ids.append(own or f"{item.table.name}.{item.table.rows[row]}")
            self.said.append(scalars({key: _plain(value) for key, value in item.table.row(row).items()}))  # fmt: skip
            self.places.append((item.table.name, row + 1))
        for role in self.values.keys() | roles.keys():
            values = self.values.setdefault(role, [None] * before)
            column = columns[roles[role]] if role in roles else None
            values.extend(column[int(item.kept[n])] if column is not None else None for n in chosen)


@dataclass(slots=True)
class Layers:
    """The pipes and nodes of a source, and what was left out of it."""

    lines: Rows
    points: Rows
    place: Place
    dropped: list[Dropped]
    warnings: list[str]


def read_layers(source: Source, placement: Placement, progress: Progress) -> Layers:
    """The lines and points of a file, or of all files of a folder or .zip; raises `InvalidInput`."""
    report = Report()
    with TemporaryDirectory(prefix=".edges-", dir=source.scratch) as folder:
        tables = [
            (item, path.name)
            for path in _files(source, Path(folder), progress)
            for item in read_tables(_of(source, path), placement, progress, report)
        ]
    lines, points = Rows("line"), Rows("point")
    for item, name in tables:
        kinds = shapely.get_type_id(item.shapes)
        for rows, numbers in ((lines, _LINES), (points, _POINTS)):
            if chosen := np.flatnonzero(np.isin(kinds, numbers)).tolist():
                rows.add(item, chosen, source.options, name)
        for number in np.flatnonzero(~np.isin(kinds, _LINES + _POINTS)).tolist():
            row = item.table.rows[int(item.kept[number])]
            reason = "it is neither a line nor a point"
            report.dropped.append(Dropped(f"{item.table.name}.{row}", item.table.name, reason))
    lines, points = _single(lines, report), _single(points, report)
    if not len(lines):
        raise InvalidInput(f"{source.filename} holds no line; give a layer of pipes as lines")
    return Layers(lines, points, tables[0][0].place, report.dropped, report.warnings)


def _files(source: Source, folder: Path, progress: Progress) -> list[Path]:
    """The files of layers in a source; a .zip is unpacked into `folder`."""
    path = source.path
    if not path.is_dir() and path.suffix.lower() != ".zip":
        return [path]
    if not path.is_dir():
        bring_in(path, source.filename, folder, default_limits(), progress)
        path = folder
    found = sorted(p for p in path.rglob("*") if p.is_file() and p.suffix.lower() in _ENDINGS)
    if not found:
        raise InvalidInput(
            f"{source.filename} holds no layer; give GeoPackage, GeoJSON or Shapefile in it"
        )
    return found


def _of(source: Source, path: Path) -> Source:
    if path == source.path:
        return source
    return Source(path, path.name, source.layer_id, source.title, options=source.options)


def _single(rows: Rows, report: Report) -> Rows:
    """With each shape of one part; a part of many has an id of its own, what is no line is left out."""
    parts, owner = shapely.get_parts(np.array(rows.shapes, object), return_index=True)
    if rows.kind == "line":
        flat = shapely.remove_repeated_points(parts)
        long = shapely.length(flat) > 0
        for row in owner[~long].tolist():
            reason = "it is a line without a length"
            report.dropped.append(Dropped(rows.ids[row], rows.places[row][0], reason))
        parts, owner = flat[long], owner[long]
    chosen = owner.tolist()
    return Rows(
        rows.kind, list(parts), unique_ids(rows.ids[row] for row in chosen),
        {role: [values[row] for row in chosen] for role, values in rows.values.items()},
        [rows.said[row] for row in chosen], [rows.places[row] for row in chosen],
    )  # fmt: skip


def _plain(value: Any) -> Any:
    """Dates as ISO 8601."""
    return value.isoformat() if hasattr(value, "isoformat") else value
