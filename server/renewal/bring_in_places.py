"""Where projects that somebody brought lie: their outlines in degrees, and in which town."""

import math
from pathlib import Path

import numpy as np
import shapely
import shapely.affinity

from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.importers.references import reference_of
from cim_core.layer import Source
from cim_core.mesh import Floats
from cim_core.reference import METRES_PER_DEGREE, Reference
from server.renewal.bring_in_columns import limit, plain
from server.renewal.bring_in_rows import Row
from server.renewal.findings import Misplaced, Report
from server.renewal.given import GivenSheet

_DECIMALS = 9
"""Of a degree: a tenth of a millimetre, so that the same file says the same again."""


class Outlines:
    """The shapes of a table in degrees; raises `InvalidInput` where nobody says in which system they are."""

    def __init__(self, city: City, name: str, crs: str | None, sheet: GivenSheet) -> None:
        wkb = [line.shape for line in sheet.lines if line.shape is not None]
        self._system: Reference | None = None
        if not wkb:
            return
        source = Source(Path(name), name, "renewal", name)
        self._system = reference_of(source, city.placement("renewal", crs, None), sheet.crs)
        bounds = shapely.total_bounds(shapely.from_wkb(wkb))
        if np.isfinite(bounds).all():
            self._system.check(bounds.reshape(2, 2), name)

    def of(self, row: Row) -> shapely.Geometry | None:
        """The outline of a row; None where it has no shape. Raises `Misplaced`."""
        if row.line.shape is None or self._system is None:
            return None
        shape = shapely.from_wkb(row.line.shape)
        if shape.is_empty:
            return None
        if shape.geom_type not in ("Polygon", "MultiPolygon"):
            raise Misplaced(
                row.place,
                InvalidInput(
                    f"its shape is a {shape.geom_type}, no area; draw its boundary as a polygon"
                ),
            )
        moved = shapely.transform(shape, self._degrees)
        if not np.isfinite(moved.bounds).all():
            raise Misplaced(
                row.place,
                InvalidInput(
                    f"its boundary leaves the area of {self._system.name}; correct the outline"
                ),
            )
        return moved

    def _degrees(self, points: Floats) -> Floats:
        assert self._system is not None
        return np.round(self._system.to_geographic(points)[:, :2], _DECIMALS)


class Towns:
    """The towns of a city's office, found by what they are called or by where something lies."""

    def __init__(self, city: City) -> None:
        self._boundaries: dict[str, shapely.Geometry | None] = {}
        self._named: dict[str, str] = {}
        for town in city.office.people.towns():
            self._boundaries[town.id] = town.boundary
            for text in (*town.title.values(), town.id):
                self._named[plain(text)] = town.id

    def of(self, row: Row, boundary: shapely.Geometry | None, report: Report) -> str | None:
        """The town of a row: as it says, else the one its boundary lies in; None where neither tells.

        Raises `Misplaced`.
        """
        said = row.text("town")
        if said is not None:
            town = self._named.get(plain(said))
            if town is None:
                raise Misplaced(
                    row.at("town"),
                    InvalidInput(
                        f"there is no town {said!r} in this city; `cim town list` has them"
                    ),
                )
            there = self._boundaries[town]
            if (
                there is not None
                and boundary is not None
                and _share(boundary, there) < limit("in_town")
            ):
                report.warn(
                    row.at("town"),
                    warning=f"the boundary of {row.called} lies outside of {said} for the most part; "
                    "look whether both are right",
                )
            return town
        if boundary is None:
            return None
        shares = {
            town: _share(boundary, there)
            for town, there in self._boundaries.items()
            if there is not None
        }
        best = max(shares, key=lambda town: shares[town], default=None)
        return best if best is not None and shares[best] >= limit("in_town") else None


def area_of(outline: shapely.Geometry) -> float:
    """The area of an outline in degrees, m², as a plane has it there: right to half a percent.

    >>> round(area_of(shapely.box(113.0, 23.0, 113.01, 23.01)) / 1e4)
    114
    """
    across = METRES_PER_DEGREE * math.cos(math.radians(outline.centroid.y))
    return float(outline.area * across * METRES_PER_DEGREE)


def _share(outline: shapely.Geometry, town: shapely.Geometry) -> float:
    """How much of an outline lies in a town, from 0 to 1; of one that crosses itself, of its hull."""
    whole = outline if outline.is_valid else outline.convex_hull
    return float(whole.intersection(town).area / whole.area) if whole.area else 0.0
