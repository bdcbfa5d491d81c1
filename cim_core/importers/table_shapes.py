"""The shapes of tables, made sound and put on earth, and what was wrong with them."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

from cim_core.errors import InvalidInput
from cim_core.importers.placing import Place, place_of
from cim_core.importers.references import reference_of
from cim_core.importers.table_file import Shapes, Table, TableInfo, read_table, table_infos
from cim_core.layer import Dropped, Placement, Source
from cim_core.mesh import Floats
from cim_core.progress import Progress

_EMPTY = "it has no shape, or one that cannot be read"
_OUTSIDE = "it lies outside the area of its reference system"

_AREAS = (3, 6)
"""shapely's numbers of polygons and multipolygons."""


@dataclass(slots=True)
class Report:
    """What was repaired and what was left out."""

    dropped: list[Dropped] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PlacedTable:
    """A table whose shapes are sound and stand in longitude and latitude.

    kept
        (k,) the rows of the table that have a shape.
    shapes
        (k,) in longitude, latitude and, where they have heights, metres in the city's datum.
    """

    table: Table
    kept: NDArray[np.int64]
    shapes: Shapes
    place: Place


def read_tables(
    source: Source, placement: Placement, progress: Progress, report: Report,
    suits: Callable[[TableInfo], bool] = lambda _: True,
) -> list[PlacedTable]:  # fmt: skip
    """Read the tables of a file that the person named with the option `table`, else all that suit.

    Raises `InvalidInput`.
    """
    infos = table_infos(source.path, source.filename)
    wanted = source.options.get("table")
    chosen = [info for info in infos if (info.name == wanted if wanted else suits(info))]
    names = ", ".join(info.name for info in infos)
    if not chosen and wanted:
        raise InvalidInput(
            f"{source.filename} has no table {wanted!r}; name one with the option table: {names}"
        )
    if not chosen:
        raise InvalidInput(
            f"no table of {source.filename} has areas with heights or storeys; name one with the "
            f"option table ({names}) and the column with height or floors"
        )
    found = []
    for number, info in enumerate(chosen):
        progress(number, len(chosen), "reading")
        table = read_table(source.path, source.filename, info.name, source.options.get("encoding"))
        report.warnings += [f"of {table.name}, GDAL says: {remark}" for remark in table.remarks]
        if (placed := put(table, source, placement, report)) is not None:
            found.append(placed)
    if not found:
        raise InvalidInput(f"{source.filename} holds no shape; give a file with some")
    return found


def put(table: Table, source: Source, placement: Placement, report: Report) -> PlacedTable | None:
    """A table with sound shapes on earth; None where it has none. Raises `InvalidInput`."""
    shapes = sound(table, report)
    kept = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    report.dropped += [_dropped(table, row, _EMPTY) for row in _others(kept, len(shapes))]
    if not len(kept):
        return None
    shapes = shapes[kept]
    solid = shapely.has_z(shapes)
    place = place_of(source, placement, table.crs, _most_of(shapes), heights=bool(solid.any()))
    placed = on_earth(shapes, place.to_city)
    on = _inside(placed, source, placement, table)
    report.dropped += [_dropped(table, row, _OUTSIDE) for row in kept[~on].tolist()]
    report.warnings += [warning for warning in place.warnings if warning not in report.warnings]
    return PlacedTable(table, kept[on], placed[on], place) if on.any() else None


def _most_of(shapes: Shapes) -> Floats:
    """The corners (2, 3) of the box that holds nine tenths of shapes: strays tell no system."""
    boxes = shapely.bounds(shapes)
    low = np.percentile(boxes[:, :2], 5, axis=0, method="nearest")
    high = np.percentile(boxes[:, 2:], 95, axis=0, method="nearest")
    return np.array([[*low, 0.0], [*high, 0.0]])


def _inside(
    placed: Shapes, source: Source, placement: Placement, table: Table
) -> NDArray[np.bool_]:
    """Which shapes, in longitude and latitude, lie in the area of their system, (n,)."""
    boxes = shapely.bounds(placed)
    on: NDArray[np.bool_] = np.isfinite(boxes).all(axis=1)
    if placement.anchor is None or placement.crs is not None:
        system = reference_of(source, placement, table.crs)
        west, south, east, north = system.bounds
        middles = (boxes[:, :2] + boxes[:, 2:]) / 2
        beyond = ((middles < [west, south]) | (middles > [east, north])).any(axis=1)
        for row in np.flatnonzero(on & beyond).tolist():
            on[row] = system.covers(*middles[row].tolist())
    return on


def on_earth(shapes: Shapes, to_city: Callable[[Floats], Floats]) -> Shapes:
    """Shapes (n,) with their coordinates exchanged; heights stay where they were."""
    result = shapes.copy()
    solid = shapely.has_z(shapes)
    for rows, has_z in ((np.flatnonzero(~solid), False), (np.flatnonzero(solid), True)):
        if len(rows):
            points = shapely.get_coordinates(shapes[rows], include_z=has_z)
            if has_z:
                points[:, 2] = np.where(np.isfinite(points[:, 2]), points[:, 2], 0.0)
            places = to_city(points)
            result[rows] = shapely.set_coordinates(
                shapes[rows].copy(), places if has_z else places[:, :2]
            )
    return result


def sound(table: Table, report: Report) -> Shapes:
    """The shapes of a table, those whose rings are broken repaired and reported."""
    shapes = table.shapes.copy()
    there = ~shapely.is_missing(shapes)
    measured = np.flatnonzero(there & shapely.has_m(shapes))
    shapes[measured] = [
        shapely.force_3d(shape) if shapely.has_z(shape) else shapely.force_2d(shape)
        for shape in shapes[measured]
    ]
    areas = np.isin(shapely.get_type_id(shapes), _AREAS)
    broken = np.flatnonzero(areas & ~shapely.is_valid(shapes))
    if len(broken):
        reason = str(shapely.is_valid_reason(shapes[broken[0]]))
        repaired = shapely.make_valid(shapes[broken], method="structure", keep_collapsed=False)
        shapes[broken] = [only_areas(shape) for shape in repaired]
        report.warnings.append(
            f"{len(broken)} areas of {table.name} have broken rings and were repaired; the first is "
            f"row {table.rows[broken[0]]} ({reason.partition('[')[0]})"
        )
    return shapes


def only_areas(shape: shapely.Geometry) -> shapely.Geometry:
    """The polygons of a shape; a repaired area may have left lines beside them."""
    if shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    return shapely.multipolygons(parts) if parts else shapely.Polygon()


def _others(kept: NDArray[np.int64], count: int) -> list[int]:
    away = np.ones(count, bool)
    away[kept] = False
    found: list[int] = np.flatnonzero(away).tolist()
    return found


def _dropped(table: Table, row: int, reason: str) -> Dropped:
    return Dropped(f"{table.name}.{table.rows[row]}", table.name, reason)
