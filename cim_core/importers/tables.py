"""Tables with shapes: roads, water, parcels, places and whatever else stands on a map."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from cim_core.archives import names_in
from cim_core.errors import InvalidInput
from cim_core.feature import Feature
from cim_core.importers.attributes import scalars, unique_ids, worth_styling
from cim_core.importers.placing import frame_near
from cim_core.importers.styles import class_styles, table
from cim_core.importers.table_file import Table
from cim_core.importers.table_shapes import PlacedTable, Report, read_tables
from cim_core.layer import Features, Layer, Placement, Source
from cim_core.progress import Progress

_CIM_LEVEL = 1
"""Outlines and symbols."""


@dataclass(frozen=True, slots=True)
class TableImporter:
    """Reads tables with shapes; each shape is kept as it is.

    Options: `table` (one of several), `id`, `name` and `class` (columns), `encoding` (of texts),
    `vertical_unit` and `vertical_crs`.
    """

    def recognises(self, path: Path) -> bool:
        """Whether it is a table with shapes."""
        return holds_tables(path)

    def __call__(self, source: Source, placement: Placement, progress: Progress) -> Layer:
        """Import a file; broken shapes are repaired or left out, and reported in the layer.

        Raises `InvalidInput` when the file as a whole cannot be imported.
        """
        report = Report()
        tables = read_tables(source, placement, progress, report)
        features = [
            feature
            for item in tables
            for feature in features_of(item, source, progress, apart=len(tables) > 1)
        ]
        return vector_layer(source, placement, features, tables, report)


def holds_tables(path: Path) -> bool:
    """Whether a file, by its content, is of a kind that `TableImporter` reads."""
    if path.is_dir():
        return any(entry.suffix.lower() == ".shp" for entry in path.iterdir())
    if path.suffix.lower() == ".zip":
        return any(name.lower().endswith(".shp") for name in names_in(path))
    with path.open("rb") as file:
        start = file.read(1 << 16)
    if path.suffix.lower() in (".json", ".geojson"):
        return b'"FeatureCollection"' in start or (b'"Feature"' in start and b'"geometry"' in start)
    magics = (b"SQLite format 3\0", b"fgb\x03", b"PAR1", b"\x00\x00\x27\x0a")
    return start.startswith(magics)


def vector_layer(
    source: Source,
    placement: Placement,
    features: Sequence[Feature],
    tables: Sequence[PlacedTable],
    report: Report,
) -> Layer:
    """A layer of outlines."""
    return Layer(
        id=source.layer_id,
        title=source.title,
        frame=frame_near(middle_of(tables), placement),
        content=Features(tuple(sorted(features, key=lambda feature: feature.id)), {}),
        georeference=tables[0].place.georeference,
        tile_attributes=worth_styling(features),
        class_styles=class_styles({feature.feature_class for feature in features}),
        level="surface",
        cim_level=_CIM_LEVEL,
        dropped=tuple(report.dropped),
        warnings=tuple(report.warnings),
    )


def middle_of(tables: Sequence[PlacedTable]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The middle of what tables show, (3,) longitude, latitude, ellipsoidal height of the zero."""
    boxes = np.vstack([shapely.bounds(item.shapes) for item in tables])
    west, south = boxes[:, :2].min(axis=0)
    east, north = boxes[:, 2:].max(axis=0)
    return np.array([(west + east) / 2, (south + north) / 2, tables[0].place.geoid_separation])


def features_of(
    item: PlacedTable, source: Source, progress: Progress, *, apart: bool
) -> list[Feature]:
    """A feature for each row that has a shape; `apart` keeps its id from those of other tables."""
    columns = Columns.of(item.table, source.options, source.filename)
    ids = columns.ids(item.table, item.kept.tolist(), apart=apart)
    features = []
    for number, (row, shape) in enumerate(zip(item.kept.tolist(), item.shapes, strict=True)):
        if number % 1000 == 0:
            progress(number, len(item.kept), "properties")
        values = item.table.row(row)
        kind = columns.of_class(values) or item.table.name
        name = columns.of_name(values) or ids[number]
        features.append(Feature(ids[number], kind, name, None, columns.others(values), shape=shape))
    return features


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a table say what a thing is called and what it is; None for none."""

    id: str | None
    name: str | None
    kind: str | None

    @classmethod
    def of(cls, item: Table, options: Mapping[str, str], filename: str) -> "Columns":
        """What the person said, else what the names of the columns say; raises `InvalidInput`."""
        found = {}
        for role, usual in _usual().items():
            said = options.get(role)
            if said is not None and said not in item.columns:
                raise InvalidInput(
                    f"{filename} has no column {said!r}, which the option {role} names; it has "
                    f"{', '.join(item.columns)}"
                )
            found[role] = said or _named(item, usual)
        if found["id"] and not options.get("id") and not _unique(item.columns[found["id"]]):
            found["id"] = None
        return cls(found["id"], found["name"], found["class"])

    def ids(self, item: Table, rows: Sequence[int], *, apart: bool) -> list[str]:
        """An id for each of some rows: what stands in its column, else the number of the row.

        `apart` puts the table's name before it.
        """
        column = item.columns[self.id] if self.id else item.rows
        before = f"{item.name}." if apart or self.id is None else ""
        return unique_ids(
            f"{item.name}.{item.rows[row]}"
            if column[row] in (None, "")
            else f"{before}{column[row]}"
            for row in rows
        )

    def of_name(self, values: Mapping[str, Any]) -> str:
        """The name of a row, empty without one."""
        return _text(values, self.name)

    def of_class(self, values: Mapping[str, Any]) -> str:
        """The class of a row, empty without one."""
        return _text(values, self.kind)

    def others(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What else a row says; dates as ISO 8601."""
        taken = (self.name, self.kind)
        return scalars(
            {
                key: value.isoformat() if hasattr(value, "isoformat") else value
                for key, value in values.items()
                if key not in taken
            }
        )


def _text(values: Mapping[str, Any], column: str | None) -> str:
    value = values[column] if column else None
    return "" if value is None else str(value).strip()


def _named(item: Table, usual: Iterable[str]) -> str | None:
    by_lower = {name.lower(): name for name in reversed(list(item.columns))}
    return next((by_lower[name] for name in usual if name in by_lower), None)


def _unique(values: Sequence[Any]) -> bool:
    return None not in values and len(set(values)) == len(values)


@lru_cache
def _usual() -> Mapping[str, tuple[str, ...]]:
    return {role: tuple(names) for role, names in table("columns.toml").items()}
