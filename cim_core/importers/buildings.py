"""Footprints with heights or storeys: they become buildings that stand on the terrain."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from cim_core.errors import CimError, InvalidInput
from cim_core.feature import Feature, Instance
from cim_core.importers.attributes import worth_styling
from cim_core.importers.extrusion import Block, extruded, grounds
from cim_core.importers.placing import frame_near
from cim_core.importers.styles import class_styles, material, surface_material, table
from cim_core.importers.table_file import TableInfo, table_infos
from cim_core.importers.table_shapes import PlacedTable, Report, only_areas, read_tables
from cim_core.importers.tables import features_of, holds_tables, middle_of
from cim_core.layer import Features, Layer, Placement, Source
from cim_core.mesh import Floats, Mesh
from cim_core.progress import Progress
from cim_core.reference import VERTICAL_UNITS

_CLASS = "Building"
_CIM_LEVEL = 2
"""Bodies without a roof's form (白模)."""

_NUMBER = re.compile(r"\s*(-?\d+(?:[.,]\d+)?)\s*(ft|feet|'|m|米)?\s*$", re.IGNORECASE)
_FEET = ("ft", "feet", "'")


@dataclass(frozen=True, slots=True)
class BuildingImporter:
    """Reads tables of footprints and raises them to blocks.

    Options besides those of `TableImporter`: `height` and `floors` (columns), `floor_height`
    (metres of a storey), `vertical_unit` (of the heights).
    """

    def recognises(self, path: Path) -> bool:
        """Whether it is a table of areas with a column of heights or storeys."""
        try:
            return holds_tables(path) and any(_suits(info) for info in table_infos(path, path.name))
        except CimError:
            return False

    def __call__(self, source: Source, placement: Placement, progress: Progress) -> Layer:
        """Import a file; footprints without a height stay flat and are reported in the layer.

        Raises `InvalidInput` when the file as a whole cannot be imported.
        """
        report = Report()
        tables = read_tables(source, placement, progress, report, _suits)
        frame = frame_near(middle_of(tables), placement)
        separation = tables[0].place.geoid_separation

        def to_frame(points: Floats) -> Floats:
            return frame.from_geographic(points + np.array([0.0, 0.0, separation]))

        features: list[Feature] = []
        meshes: dict[str, Mesh] = {}
        wall, roof = surface_material("WallSurface"), surface_material("BlockRoof")
        plain = material(_CLASS, class_styles([_CLASS])[_CLASS].color)
        for item in tables:
            found = features_of(item, source, progress, apart=len(tables) > 1)
            heights = Heights.of(item, source).values(item)
            areas = np.array([only_areas(shape) for shape in item.shapes], object)
            up = np.isfinite(heights) & np.array([not area.is_empty for area in areas])
            bottoms, beside = grounds(areas[up], source.ground)
            blocks = extruded(
                areas[up], bottoms, bottoms + heights[up], to_frame,
                wall or plain, roof or plain, progress,
            )  # fmt: skip
            raised = dict(zip(np.flatnonzero(up).tolist(), blocks, strict=True))
            features += [
                _building(feature, raised.get(row), meshes, heights[row])
                for row, feature in enumerate(found)
            ]
            _report(report, item, len(up) - len(blocks), beside)
        if not meshes:
            raise InvalidInput(
                f"{source.filename} has no footprint with a usable height; name the column with the "
                "option height or floors, or import it with --as vector"
            )
        return Layer(
            id=source.layer_id,
            title=source.title,
            frame=frame,
            content=Features(tuple(sorted(features, key=lambda feature: feature.id)), meshes),
            georeference=tables[0].place.georeference,
            tile_attributes=worth_styling(features, ("height",)),
            class_styles=class_styles([_CLASS]),
            cim_level=_CIM_LEVEL,
            dropped=tuple(report.dropped),
            warnings=tuple(report.warnings),
        )


def _building(
    feature: Feature, block: Block | None, meshes: dict[str, Mesh], height: float
) -> Feature:
    if block is None:
        return replace(feature, feature_class=_CLASS)
    matrix = np.eye(4)
    matrix[:3, 3] = block.origin
    instances = []
    for mesh in block.meshes:
        key = mesh.key()
        meshes[key] = mesh
        instances.append(Instance(key, matrix))
    return replace(
        feature,
        feature_class=_CLASS,
        attributes={**feature.attributes, "height": round(float(height), 3)},
        instances=tuple(instances),
        shape=shapely.force_2d(feature.shape),
    )


def _report(report: Report, item: PlacedTable, flat: int, beside: int) -> None:
    if flat:
        report.warnings.append(
            f"{flat} of {len(item.kept)} footprints of {item.table.name} have no usable height and "
            "stay flat"
        )
    if beside:
        report.warnings.append(
            f"{beside} buildings of {item.table.name} do not stand on the city's terrain and were "
            "put at height 0"
        )


@dataclass(frozen=True, slots=True)
class Heights:
    """Where the heights of a table stand: its columns, and what a storey and a unit measure."""

    height: str | None
    floors: str | None
    floor_height: float
    unit: float

    @classmethod
    def of(cls, item: PlacedTable, source: Source) -> "Heights":
        """What the person said, else what the names of the columns say; raises `InvalidInput`."""
        columns = item.table.columns
        found: dict[str, str | None] = {}
        for role in ("height", "floors"):
            said = source.options.get(role)
            if said is not None and said not in columns:
                raise InvalidInput(
                    f"{source.filename} has no column {said!r}, which the option {role} names; it "
                    f"has {', '.join(columns)}"
                )
            found[role] = said or _column(columns, role)
        storey = source.options.get("floor_height")
        try:
            floor_height = float(storey) if storey else float(_table()["limits"]["floor_height"])
        except ValueError as error:
            raise InvalidInput(
                f"floor_height={storey} is not a number of metres; write it as in floor_height=3.2"
            ) from error
        unit = VERTICAL_UNITS.get(source.options.get("vertical_unit", "metre"), 1.0)
        return cls(found["height"], found["floors"], floor_height, unit)

    def values(self, item: PlacedTable) -> Floats:
        """The height of each kept row, (k,) metres; NaN where there is none, or an absurd one."""
        columns = item.table.columns
        rows = item.kept.tolist()
        heights = np.full(len(rows), np.nan)
        for column, factor in ((self.height, self.unit), (self.floors, self.floor_height)):
            if column is not None:
                values = np.array([_metres(columns[column][row]) for row in rows]) * factor
                heights = np.where(np.isfinite(heights), heights, self._possible(values))
        return heights

    @staticmethod
    def _possible(values: Floats) -> Floats:
        highest = float(_table()["limits"]["highest"])
        return np.where((values > 0) & (values <= highest), values, np.nan)


def _metres(value: Any) -> float:
    """A number, or a text that begins with one and may name its unit; NaN for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    match = _NUMBER.match(value) if isinstance(value, str) else None
    if match is None:
        return math.nan
    number = float(match[1].replace(",", "."))
    return number * 0.3048 if (match[2] or "").lower() in _FEET else number


def _suits(info: TableInfo) -> bool:
    area = info.geometry.removesuffix(" Z") in ("Polygon", "MultiPolygon", "Unknown", "2.5D Polygon", "2.5D MultiPolygon")  # fmt: skip
    return area and any(_column(info.columns, role) for role in ("height", "floors"))


def _column(columns: Iterable[str] | Mapping[str, Sequence[Any]], role: str) -> str | None:
    by_lower = {name.lower(): name for name in columns}
    return next((by_lower[name] for name in _table()[role]["names"] if name in by_lower), None)


@lru_cache
def _table() -> dict[str, Any]:
    return table("heights.toml")
