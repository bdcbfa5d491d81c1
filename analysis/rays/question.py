"""What questions of light and view have in common: a place, what is planned, and what stands around."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely

from analysis.analysis import Analysis, parameter
from analysis.rays.scene import Scene, city_scene
from analysis.rays.tree import Bools
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.feature import Value
from cim_core.mesh import Floats
from cim_core.progress import Progress
from cim_core.table import Column, Table

_TOUCHED = 1.0
"""Square metres of a building that something planned must cover before the building is taken to go."""

LEFT_OUT = {
    "en": "you see it only in part, so nothing of it stands here",
    "zh": "仅部分可见，未参与计算",
}
"""Why a layer is not in a scene."""

_ABOUT = (
    Column("layer", {"en": "Layer", "zh": "图层"}, "text"),
    Column("version", {"en": "Version", "zh": "版本"}, "integer"),
    Column("features", {"en": "Features", "zh": "要素数"}, "integer"),
    Column("triangles", {"en": "Triangles", "zh": "三角面数"}, "integer"),
    Column("left_out", {"en": "Left out", "zh": "未计入（英文）"}, "text"),
    Column("left_out_zh", {"en": "Left out (Chinese)", "zh": "未计入"}, "text"),
)


class SceneQuestion(Analysis):
    """A question about what stands around a place."""

    planned: str | None = parameter(
        None,
        {"en": "Planned layer", "zh": "规划图层"},
        {
            "en": "A layer of planned buildings or a model: everything is answered without and with it.",
            "zh": "规划建筑或模型图层；分别给出建设前后的结果。",
        },
        format="layer-id",
    )
    features: tuple[str, ...] = parameter(
        (),
        {"en": "Planned features", "zh": "规划要素"},
        {
            "en": "Only these features of the planned layer; all if none is named.",
            "zh": "仅规划图层中的这些要素；不填则为全部。",
        },
        rare=True,
    )
    reach: float = parameter(
        600.0,
        {"en": "Reach", "zh": "计算范围"},
        {
            "en": "So far around the place buildings and ground are looked at.",
            "zh": "位置周围参与计算的建筑和地形范围。",
        },
        unit="m", ge=20, le=5000, rare=True,
    )  # fmt: skip

    def scene(
        self, city: City, middle: tuple[float, float], reach: float, progress: Progress
    ) -> Scene:
        """What stands around a place; raises `NotFound` and `InvalidInput` for the planned layer."""
        found = city_scene(city, middle, reach, progress, planned=self.planned, ids=self.features)
        if self.planned is not None and not found.planned.any():
            raise InvalidInput(
                f"{self.planned} has nothing planned within {reach:g} m; give a place near it, or a "
                "larger reach"
            )
        return found


def point_of(place: Mapping[str, Any], name: str) -> tuple[float, float]:
    """A GeoJSON Point, longitude and latitude; raises `InvalidInput` naming the parameter."""
    try:
        shape = shapely.geometry.shape(place.get("geometry", place))
        lon, lat = float(shape.x), float(shape.y)
    except (AttributeError, KeyError, TypeError, ValueError, shapely.errors.ShapelyError):
        raise _no_point(name) from None
    if not (abs(lon) <= 180 and abs(lat) <= 90):
        raise _no_point(name)
    return lon, lat


def _no_point(name: str) -> InvalidInput:
    return InvalidInput(
        f"{name} is not a GeoJSON Point in longitude and latitude; give one with its coordinates"
    )


def standing_after(scene: Scene, cleared: shapely.Geometry | None = None) -> Bools:
    """Which things, (things,), stand once the planned ones do.

    What is there goes where something planned covers more than a square metre of it, and where its
    middle lies in `cleared`, in metres in the frame.
    """
    planned, outlines = scene.planned, np.array(scene.outlines, object)
    kept = np.ones(len(scene.things), bool)
    if len(kept) == 0:
        return kept
    built = shapely.union_all(outlines[planned])
    shapely.prepare(built)
    near = ~planned & shapely.intersects(built, outlines)
    covered = shapely.area(shapely.intersection(outlines[near], built))
    kept[np.flatnonzero(near)[covered > _TOUCHED]] = False
    if cleared is not None:
        shapely.prepare(cleared)
        kept &= planned | ~shapely.intersects(cleared, shapely.point_on_surface(outlines))
    return kept


def about(scene: Scene) -> Table:
    """What an answer is made of: the layers, what of them is in the scene, and which were left out."""
    counts = scene.counts()
    rows: list[tuple[Value, ...]] = [
        (version.layer, version.version, *counts.get(version.layer, (0, 0)), None, None)
        for version in scene.versions
        if version.layer in counts
    ]
    if counts[""][1]:
        grounds = [v for v in scene.versions if v.summary.get("kind") == "terrain"]
        rows += [(v.layer, v.version, 0, counts[""][1], None, None) for v in grounds]
    why = LEFT_OUT["en"], LEFT_OUT["zh"]
    rows += [(v.layer, v.version, None, None, *why) for v in scene.left_out]
    return Table(_ABOUT, tuple(rows))


def eye_at(scene: Scene, place: tuple[float, float], height: float) -> Floats:
    """Where the eye is, (3,) metres in the frame: above the ground, or the roof that is there now."""
    [foot] = scene.on_ground(np.array([place]))
    roofs = scene.only(~scene.planned)
    above = foot + np.array([0.0, 0.0, 5000.0])
    [fallen], [hit] = roofs.tree.first(above[None], np.array([[0.0, 0.0, -1.0]]))
    if hit >= 0:
        foot[2] = max(foot[2], above[2] - fallen)
    found: Floats = foot + np.array([0.0, 0.0, height])
    return found


class ViewQuestion(SceneQuestion):
    """A question about what is seen from a place."""

    place: dict[str, Any] = parameter(
        ...,
        {"en": "Place", "zh": "观察点"},
        {
            "en": "Where one stands: on the ground, or on the roof that is there.",
            "zh": "观察者所在位置；位于建筑范围内时取屋顶。",
        },
        format="geojson-geometry",
        geometries=("Point",),
    )
    height: float = parameter(
        1.6,
        {"en": "Eye height", "zh": "视高"},
        {"en": "Of the eye above the ground or roof.", "zh": "眼睛离地面或屋顶的高度。"},
        unit="m", ge=0.1, le=1000,
    )  # fmt: skip
