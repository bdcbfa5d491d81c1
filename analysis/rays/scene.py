"""What stands around a place, as triangles: buildings and models, and the ground they stand on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.rays.tree import Bools, Ints, Tree, tree_of
from cim_core.bodies import bodies
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.feature import Value
from cim_core.frame import Frame
from cim_core.layer import Features, Ground
from cim_core.mesh import Floats, transformed
from cim_core.progress import Progress
from cim_core.sight import needs_whole
from cim_core.store.features import Query
from cim_core.store.layers import LayerVersion
from cim_core.vicinity import box_around

GROUND = -1
"""The owner of the ground's triangles."""

_NOT_BUILT = frozenset({"IfcSite"})
"""Classes whose bodies are the ground itself."""
_AREAS = ("Polygon", "MultiPolygon")
_GROUND_CELLS = 200
"""So many cells of ground lie side by side in a scene at most."""
_FINEST_CELL = 1.0
MOST_TRIANGLES = 5_000_000
"""In a scene: a tree of so many takes a gigabyte."""
_HIGH = 20_000.0


@dataclass(frozen=True, slots=True)
class Thing:
    """A feature with a body.

    outline
        Its exact outline in degrees, if its layer has one.
    low, high
        Of its body, metres in the city's vertical datum.
    parent
        The id of the feature of its layer that holds it, or None.
    """

    layer: str
    id: str
    name: str
    feature_class: str
    planned: bool
    outline: shapely.Geometry | None
    attributes: Mapping[str, Value]
    low: float
    high: float
    parent: str | None = None


@dataclass(frozen=True)
class Scene:
    """Triangles around a place in the frame of that place, z upwards there.

    separation
        Ellipsoidal height minus height in the city's vertical datum, metres.
    corners
        (m, 3, 3) metres in `frame`.
    owners
        (m,) which of `things` each triangle is of, `GROUND` for the ground.
    versions
        Of all layers that were looked at.
    left_out
        Of those that would be there, were they not seen in part only.
    """

    frame: Frame
    separation: float
    corners: Floats
    owners: Ints
    things: tuple[Thing, ...]
    versions: tuple[LayerVersion, ...]
    left_out: tuple[LayerVersion, ...] = ()

    @cached_property
    def tree(self) -> Tree:
        """All triangles, to cast rays at."""
        return tree_of(self.corners)

    @cached_property
    def _ground(self) -> Tree:
        return tree_of(self.corners[self.owners == GROUND])

    @cached_property
    def outlines(self) -> tuple[shapely.Geometry, ...]:
        """The outline of each thing from above, metres in the frame.

        The hull of its body where its layer has no area for it.
        """
        known = [t.outline is not None and t.outline.geom_type in _AREAS for t in self.things]
        shapes = [
            thing.outline for thing, is_known in zip(self.things, known, strict=True) if is_known
        ]
        laid = iter(self.laid(np.array(shapes, object)) if shapes else ())
        return tuple(
            next(laid) if is_known else self._hull(thing) for thing, is_known in enumerate(known)
        )

    def _hull(self, thing: int) -> shapely.Geometry:
        points = self.bodies([thing]).reshape(-1, 3)[:, :2]
        return shapely.convex_hull(shapely.MultiPoint(points))

    @cached_property
    def _by_thing(self) -> tuple[Ints, Ints]:
        """The triangles in the order of their things, and where those of each begin and the last end."""
        order = np.argsort(self.owners, kind="stable")
        return order, np.searchsorted(self.owners[order], np.arange(len(self.things) + 1))

    def bodies(self, things: Sequence[int]) -> Floats:
        """The triangles of some things, (k, 3, 3)."""
        order, begins = self._by_thing
        rows = [order[begins[thing] : begins[thing + 1]] for thing in things]
        found: Floats = self.corners[np.concatenate(rows)]
        return found

    def laid(self, shapes: shapely.Geometry) -> shapely.Geometry:
        """A shape in degrees, or an array of such, in metres east and north in the frame."""

        def flat(points: Floats) -> Floats:
            found: Floats = self.local(np.column_stack([points[:, :2], np.zeros(len(points))]))
            return found[:, :2]

        return shapely.transform(shapely.force_2d(shapes), flat)

    def local(self, places: Floats) -> Floats:
        """(n, 3) longitude, latitude, height in the city's datum → (n, 3) metres in the frame."""
        return self.frame.from_geographic(places + np.array([0.0, 0.0, self.separation]))

    def geographic(self, points: Floats) -> Floats:
        """(n, 3) metres in the frame → (n, 3) longitude, latitude, height in the city's datum."""
        found: Floats = self.frame.to_geographic(points) - np.array([0.0, 0.0, self.separation])
        return found

    def on_ground(self, lon_lat: Floats) -> Floats:
        """(n, 2) degrees → (n, 3) metres in the frame, on the triangles of the ground.

        Where there is none the ground is level at the height 0, as it is for buildings.
        """
        found = self.known_ground(lon_lat)
        unknown = np.isnan(found[:, 2])
        found[unknown] = self.local(np.column_stack([lon_lat, np.zeros(len(lon_lat))])[unknown])
        return found

    def known_ground(self, lon_lat: Floats) -> Floats:
        """The same, with NaN for z where there is no ground."""
        found = self.local(np.column_stack([lon_lat, np.zeros(len(lon_lat))]))
        above = found + np.array([0.0, 0.0, _HIGH])
        down = np.broadcast_to([0.0, 0.0, -1.0], found.shape)
        fallen, _ = self._ground.first(above, down)
        found[:, 2] = above[:, 2] - np.where(np.isfinite(fallen), fallen, np.nan)
        return found

    def only(self, kept: Bools, *, ground: bool = True) -> "Scene":
        """The scene with some of its things, (things,), and the ground."""
        there = np.append(kept, ground)  # -1, the ground's owner, is the last
        rows = there[self.owners]
        return replace(self, corners=self.corners[rows], owners=self.owners[rows])

    @property
    def planned(self) -> Bools:
        """Which things are planned, (things,)."""
        return np.array([thing.planned for thing in self.things], bool)

    def counts(self) -> dict[str, tuple[int, int]]:
        """How many things and triangles each layer has here; the ground's under the empty name."""
        triangles = np.bincount(self.owners + 1, minlength=len(self.things) + 1).tolist()
        found: dict[str, tuple[int, int]] = {"": (0, triangles[0])}
        for thing, count in zip(self.things, triangles[1:], strict=True):
            things, total = found.get(thing.layer, (0, 0))
            found[thing.layer] = (things + bool(count), total + count)
        return found


def city_scene(
    city: City, place: tuple[float, float], radius: float, progress: Progress, *,
    planned: str | None = None, ids: Sequence[str] = (),
) -> Scene:  # fmt: skip
    """What stands within so many metres of a place, longitude and latitude.

    All layers above the ground that have bodies and are there count, and of those that are planned the
    one that is named, or some features of it. Classes that start hidden, spaces and the like, do not.
    Layers that are seen in part are left out.

    Raises `NotFound` for a planned layer that is not there, `InvalidInput` for one without bodies and where
    more than `MOST_TRIANGLES` stand, and `Forbidden` for a planned layer that is seen in part.
    """
    separation = city.settings.geoid_separation
    ground = city.ground(planned=planned is not None)
    middle = 0.0 if ground is None else float(np.nan_to_num(ground(np.array([place])))[0])
    frame = Frame(*place, middle + separation)
    named = None if planned is None else city.layers.get(planned)
    if named is not None and named.summary.get("kind", "model") != "model":
        raise InvalidInput(f"{planned} has no bodies; name a layer of buildings or a model")
    if named is not None:
        needs_whole(named.layer, named.part)
    box = box_around(*place, radius)
    parts, owners, things = [], [], list[Thing]()
    versions: list[LayerVersion] = []
    left_out: list[LayerVersion] = []
    triangles = 0
    for version in city.layers.current():
        about = version.about
        wanted = version.layer == planned or about.lifecycle == "present"
        if version.summary.get("kind", "model") != "model":
            continue
        if not wanted or (about.level == "under" and version.layer != planned):
            continue
        if not version.part.whole:
            left_out.append(version)
            continue
        progress(len(versions), len(versions) + 1, version.layer)
        versions.append(version)
        chosen = tuple(ids) if version.layer == planned and ids else None
        for thing, corners in _bodies(
            city, version, Query(bbox=box, ids=chosen), frame, separation
        ):
            triangles += len(corners)
            if triangles > MOST_TRIANGLES:
                raise InvalidInput(
                    f"more than {MOST_TRIANGLES} triangles stand within {radius:g} m of this place; give a "
                    "smaller reach"
                )
            owners.append(np.full(len(corners), len(things), np.int64))
            parts.append(corners)
            things.append(replace(thing, planned=version.layer == planned))
    if ground is not None:
        corners = _ground_triangles(ground, frame, separation, radius)
        parts.append(corners)
        owners.append(np.full(len(corners), GROUND, np.int64))
        versions += [
            version for version in city.layers.current()
            if version.summary.get("kind") == "terrain" and version.part.whole
            and (planned is not None or version.about.lifecycle == "present")
        ]  # fmt: skip
    return Scene(
        frame, separation,
        np.concatenate(parts) if parts else np.zeros((0, 3, 3)),
        np.concatenate(owners) if owners else np.zeros(0, np.int64),
        tuple(things), tuple(versions), tuple(left_out),
    )  # fmt: skip


def _bodies(
    city: City, version: LayerVersion, query: Query, frame: Frame, separation: float
) -> Iterator[tuple[Thing, Floats]]:
    """The features of a layer that match, each with its triangles in the frame."""
    layer = city.select(version, query)
    hidden = _NOT_BUILT | {name for name, s in layer.class_styles.items() if not s.visible}
    into = np.linalg.inv(frame.ecef_matrix()) @ layer.frame.ecef_matrix()
    for feature in layer.features:
        if feature.feature_class in hidden or not feature.instances:
            continue
        parts = [
            transformed(body.positions, into)[body.triangles]
            for body in bodies(Features((feature,), layer.meshes))
        ]
        if not parts:
            continue
        corners = np.concatenate(parts)
        heights = frame.to_geographic(_extremes(corners))[:, 2] - separation
        thing = Thing(
            version.layer, feature.id, feature.name, feature.feature_class, False, feature.shape,
            feature.attributes, float(heights[0]), float(heights[1]), feature.parent,
        )  # fmt: skip
        yield thing, corners


def _extremes(corners: Floats) -> Floats:
    """The lowest and the highest point of triangles, (2, 3)."""
    points = corners.reshape(-1, 3)
    order = points[:, 2]
    return points[[int(np.argmin(order)), int(np.argmax(order))]]


def _ground_triangles(
    ground: Ground, frame: Frame, separation: float, radius: float
) -> NDArray[np.float64]:
    """The ground as triangles of a grid around the anchor, (m, 3, 3); none where it is unknown."""
    cells = max(2, min(_GROUND_CELLS, int(2 * radius / _FINEST_CELL)))
    side = np.linspace(-radius, radius, cells + 1)
    east, north = np.meshgrid(side, side)
    flat = np.column_stack([east.ravel(), north.ravel(), np.zeros(east.size)])
    places = frame.to_geographic(flat)
    places[:, 2] = ground(places[:, :2]) + separation
    known = np.isfinite(places[:, 2])
    points = np.full(places.shape, np.nan)
    points[known] = frame.from_geographic(places[known])
    corner = np.arange(cells)[None, :] + np.arange(cells)[:, None] * (cells + 1)
    a = corner.ravel()
    b, c, d = a + 1, a + cells + 2, a + cells + 1
    triangles = points[np.vstack([np.column_stack([a, b, c]), np.column_stack([a, c, d])])]
    found: Floats = triangles[np.isfinite(triangles).all(axis=(1, 2))]
    return found
