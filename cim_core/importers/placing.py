"""Where the coordinates of a file lie on earth: what a person said, else what the file says."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cim_core.frame import Frame
from cim_core.importers.references import reference_of
from cim_core.layer import Georeference, Placement, Source
from cim_core.mesh import Floats

_KEEP_FRAME_METRES = 5_000.0
"""A new version whose middle moved less keeps the layer's frame, and so its unchanged tiles."""

_FALSE_ORIGIN_METRES = 100_000.0
"""Beyond this, coordinates are offsets of some map, not distances from a model's own origin."""


@dataclass(frozen=True, slots=True)
class Place:
    """The way from a file's coordinates to the earth.

    to_geographic
        (n, 2) or (n, 3) in the file's units → (n, 3) longitude, latitude, ellipsoidal height.
    geoid_separation
        Ellipsoidal height minus height in the city's vertical datum, metres.
    """

    georeference: Georeference
    to_geographic: Callable[[Floats], Floats]
    geoid_separation: float
    warnings: tuple[str, ...] = ()

    def to_city(self, points: Floats) -> Floats:
        """As `to_geographic`, with heights in the city's vertical datum, as shapes have them."""
        found = self.to_geographic(points)
        found[:, 2] -= self.geoid_separation
        return found


def place_of(
    source: Source, placement: Placement, declared: str | None, points: Floats, *, heights: bool
) -> Place:
    """Find a file's place.

    What the person gave comes first (an anchor, then a system), then what the file itself declares;
    a file that says nothing is refused rather than guessed at. `points` (n, 3) are some of its
    coordinates, the corners of its box are enough; `heights` says whether their third is used.
    Raises `InvalidInput`.
    """
    if placement.anchor is not None and placement.crs is None:
        return _at_anchor(placement, points)
    system = reference_of(source, placement, declared)
    system.check(points if heights or system.is_geocentric else points[:, :2], source.filename)
    if heights:
        system.check_heights(source.filename)
    georeference = georeference_in(system.name, placement)
    return Place(georeference, system.to_geographic, placement.geoid_separation)


def georeference_in(name: str, placement: Placement) -> Georeference:
    """How a file of the reference system `name` found its place."""
    if placement.crs is not None:
        note = {"en": f"placed in {name} as given", "zh": f"按给定坐标系 {name} 放置"}
        return Georeference("user", name, note)
    note = {"en": f"placed in {name}, which the file names", "zh": f"按文件所述坐标系 {name} 放置"}
    return Georeference("file", name, note)


def _at_anchor(placement: Placement, points: Floats) -> Place:
    """East, north and up in metres of the anchor, which is the file's own origin."""
    assert placement.anchor is not None
    lon, lat, height = placement.anchor
    frame = Frame(lon, lat, height + placement.geoid_separation)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    origin = np.zeros(3)
    warnings: tuple[str, ...] = ()
    away = float(np.abs(middle[:2]).max())
    if away > _FALSE_ORIGIN_METRES:
        origin = np.array([*np.floor(middle[:2]), 0.0])
        warnings = (
            f"its elements lie {away / 1000:.0f} km from its origin in no known map system; "
            "their middle was put at the anchor instead",
        )
    note = {
        "en": f"placed at the anchor given: {lon:.6f}, {lat:.6f}, {height:g} m",
        "zh": f"按给定锚点放置：经度 {lon:.6f}，纬度 {lat:.6f}，高程 {height:g} 米",
    }

    def to_geographic(points: Floats) -> Floats:
        upright = points if points.shape[1] == 3 else np.column_stack([points, np.zeros(len(points))])  # fmt: skip
        return frame.to_geographic(upright - origin)

    return Place(
        Georeference("user", None, note), to_geographic, placement.geoid_separation, warnings
    )


def corners_of(points: Floats) -> Floats:
    """The two corners of the box around points (n, 3), as (2, 3); what is no number is no point."""
    found = points[np.isfinite(points).all(axis=1)]
    return np.array([found.min(axis=0), found.max(axis=0)]) if len(found) else np.zeros((1, 3))


def frame_near(middle: Floats, placement: Placement) -> Frame:
    """The frame of a layer whose middle is at (3,) longitude, latitude, ellipsoidal height."""
    old = placement.layer_frame
    if (
        old is not None
        and np.linalg.norm(old.from_geographic(middle[None, :])) < _KEEP_FRAME_METRES
    ):
        return old
    return Frame(round(float(middle[0]), 6), round(float(middle[1]), 6), round(float(middle[2])))
