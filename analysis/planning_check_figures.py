"""The figures of a planning check that follow from a parcel and what is planned on it."""

from collections.abc import Callable, Sequence

import numpy as np
import shapely

from analysis.areas import square_metres
from analysis.planning_check_parts import (
    Figure,
    Planned,
    above,
    conditions_table,
    held,
    in_degrees,
    prisms,
)
from analysis.rays.scene import Scene
from cim_core.mesh import Floats
from cim_core.sketch import SketchShape, Words

Given = tuple[float | None, str]
"""A condition and what says it."""


def far_figure(scene: Scene, land: float, built: Sequence[Planned], given: Given) -> Figure:
    """Floor area over land area; unknown where the storeys of a building are."""
    reason: Words | None = None
    missing = [one.name for one in built if one.floor_area is None]
    value = None if missing else sum(one.floor_area or 0.0 for one in built) / land
    verdict, why = held(value, given[0], at_least=False, slack=_share() * (given[0] or 0.0))
    if missing:
        names = ", ".join(missing[:3])
        reason = {
            "en": f"nothing says how many storeys these have: {names}",
            "zh": f"以下建筑未载明层数：{names}",
        }
    elif any(one.how == "height" for one in built):
        reason = {
            "en": "storeys were estimated from heights",
            "zh": "部分建筑的层数按高度估算",
        }
    proof = [
        shape
        for number, one in enumerate(built)
        for shape in prisms(
            scene, one.outline, one.ground, one.top, "building", f"building{number}",
            {"en": one.name, "zh": one.name},
        )
    ]  # fmt: skip
    return Figure(
        "far", {"en": "Floor area ratio", "zh": "容积率"}, value, "1", given[0], False, given[1],
        verdict, reason or why, tuple(proof),
    )  # fmt: skip


def density_figure(
    scene: Scene, parcel: shapely.Geometry, land: float, built: Sequence[Planned], given: Given
) -> Figure:
    """Footprints over land area; what of them lies beside the parcel does not count."""
    union = shapely.union_all([one.degrees for one in built])
    covered = float(square_metres([shapely.intersection(union, parcel)])[0])
    verdict, why = held(covered / land, given[0], at_least=False, slack=_share())
    shapes = [
        SketchShape(f"footprint{i}", "footprint", one.degrees, bottom=_height(scene, one, 0.3))
        for i, one in enumerate(built)
    ]
    return Figure(
        "density", {"en": "Building density", "zh": "建筑密度"}, 100 * covered / land, "%",
        None if given[0] is None else 100 * given[0], False, given[1], verdict, why, tuple(shapes),
    )  # fmt: skip


def height_figure(scene: Scene, built: Sequence[Planned], given: Given) -> Figure:
    """The greatest height over the lowest ground under a building; proven by what is too high.

    Where no terrain is known, over the lowest of the building itself.
    """
    value = max((one.top - one.ground for one in built), default=0.0)
    slack = float(conditions_table()["tolerance"]["metres"])
    verdict, why = held(value, given[0], at_least=False, slack=slack)
    proof: list[SketchShape] = []
    if given[0] is not None:
        for number, one in enumerate(built):
            plane = one.ground + given[0]
            parts, _ = above(_triangles(scene, one), _level(plane))
            if parts and one.top > plane + slack:
                label = _metres("{} m too high", "超高 {} m", one.top - plane)
                area = shapely.union_all(parts, grid_size=0.001)
                proof += prisms(scene, area, plane, one.top, "too-high", f"high{number}", label)
    if why is None and not all(one.on_terrain for one in built):
        why = {
            "en": "no terrain is known here: over the lowest of what stands above the basement",
            "zh": "此处无地形数据，自地下室以上部分的最低处起算",
        }
    return Figure(
        "height", {"en": "Building height", "zh": "建筑高度"}, value, "m", *_upper(given), verdict,
        why, tuple(proof),
    )  # fmt: skip


def setback_figure(
    scene: Scene, parcel: shapely.Geometry, built: Sequence[Planned], given: Given
) -> Figure:
    """How near buildings come to the boundary; negative where they reach beyond it."""
    edge = shapely.boundary(parcel)
    union = shapely.union_all([one.outline for one in built])
    outside = shapely.difference(union, parcel)
    if shapely.area(outside) > 1e-3:
        value = -_beyond(outside, parcel)
    else:
        value = float(shapely.distance(edge, union))
    slack = float(conditions_table()["tolerance"]["metres"])
    verdict, why = held(value, given[0], at_least=True, slack=slack)
    proof: list[SketchShape] = []
    if given[0] is not None:
        line = shapely.buffer(parcel, -given[0], join_style="mitre")
        if not line.is_empty:
            proof.append(SketchShape("setback", "line", in_degrees(scene, shapely.boundary(line))))
        if verdict == "failed":
            label = _metres("{} m from the boundary", "距边界 {} m", value)
            for number, one in enumerate(built):
                beyond = shapely.difference(one.outline, line)
                proof += prisms(scene, beyond, one.ground, one.top, "beyond", f"beyond{number}", label)  # fmt: skip
    return Figure(
        "setback", {"en": "Setback", "zh": "建筑退线"}, value, "m", given[0], True, given[1], verdict,
        why, tuple(proof),
    )  # fmt: skip


def _beyond(outside: shapely.Geometry, parcel: shapely.Geometry) -> float:
    """How far what lies outside a parcel reaches, metres: its corners, and its middle.

    Over a gap or a yard of the parcel all its corners may lie on the boundary.
    """
    parts = shapely.get_parts(outside)
    parts = parts[shapely.area(parts) > 0]
    middles = shapely.get_point(shapely.maximum_inscribed_circle(parts), 0)
    corners = shapely.points(shapely.get_coordinates(parts))
    return float(shapely.distance(parcel, np.concatenate([corners, middles])).max())


def green_figure(green: shapely.Geometry | None, land: float, given: Given) -> Figure:
    """Green land over land area; unknown where no planned layer draws any on the parcel."""
    share = None if green is None else float(square_metres([green])[0]) / land
    verdict, why = held(share, given[0], at_least=True, slack=_share())
    if green is None:
        why = {
            "en": "no planned layer draws green land on this parcel",
            "zh": "规划图层未在该地块绘出绿地",
        }
    proof = () if green is None else (SketchShape("green", "green", green),)
    return Figure(
        "green", {"en": "Green ratio", "zh": "绿地率"}, None if share is None else 100 * share, "%",
        None if given[0] is None else 100 * given[0], True, given[1], verdict, why, proof,
    )  # fmt: skip


def corridor_figure(
    scene: Scene, built: Sequence[Planned], corridor: shapely.Geometry,
    limit: Callable[[Floats], Floats],
) -> Figure:  # fmt: skip
    """How far something planned rises into a view corridor, an area in metres in the frame.

    `limit` is the height of its lower surface, (n,) metres in the frame at (n, 2).
    """
    excess, known = 0.0, True
    proof = [SketchShape("corridor", "corridor", in_degrees(scene, corridor))]
    for number, one in enumerate(built):
        known &= bool(np.isfinite(limit(_triangles(scene, one).reshape(-1, 3)[:, :2])).all())
        parts, _ = above(_triangles(scene, one), limit)
        blocked = shapely.intersection(shapely.union_all(parts, grid_size=0.001), corridor) if parts else None  # fmt: skip
        if blocked is None or shapely.area(blocked) <= 1e-3:
            continue
        reached = _highest_in(_triangles(scene, one), corridor, limit)
        excess = max(excess, reached)
        low = float(limit(shapely.get_coordinates(blocked)).min())
        label = _metres("{} m into the view corridor", "侵入视廊 {} m", reached)
        proof += prisms(scene, blocked, low, one.top, "blocked", f"blocked{number}", label)
    slack = float(conditions_table()["tolerance"]["metres"])
    value = excess if known else None
    verdict, why = held(value, 0.0, at_least=False, slack=slack)
    return Figure(
        "corridor", {"en": "Reach into the view corridor", "zh": "侵入视线通廊"}, value, "m", 0.0,
        False, "corridor", verdict, why, tuple(proof),
    )  # fmt: skip


def _highest_in(
    corners: Floats, area: shapely.Geometry, limit: Callable[[Floats], Floats]
) -> float:
    """How far triangles reach over a plane within an area: the most is at a corner of a common part."""
    most = 0.0
    over = corners[:, :, 2] - limit(corners[:, :, :2].reshape(-1, 2)).reshape(-1, 3)
    for triangle, heights in zip(corners, over, strict=True):
        if heights.max() <= most:
            continue
        shape = shapely.Polygon(triangle[:, :2])
        if shapely.area(shape) <= 1e-9:
            continue
        common = shapely.get_coordinates(shapely.intersection(shape, area))
        if len(common) == 0:
            continue
        matrix = np.column_stack([triangle[:, :2], np.ones(3)])
        slope = np.linalg.solve(matrix, heights)
        most = max(most, float((np.column_stack([common, np.ones(len(common))]) @ slope).max()))
    return most


def _triangles(scene: Scene, one: Planned) -> Floats:
    return scene.bodies(one.things)


def _level(z: float) -> Callable[[Floats], Floats]:
    return lambda places: np.full(len(places), z)


def _height(scene: Scene, one: Planned, over: float) -> float:
    middle = shapely.point_on_surface(one.outline)
    return float(scene.geographic(np.array([[middle.x, middle.y, one.ground + over]]))[0, 2])


def _share() -> float:
    return float(conditions_table()["tolerance"]["share"])


def _upper(given: Given) -> tuple[float | None, bool, str]:
    return given[0], False, given[1]


def _metres(en: str, zh: str, value: float) -> Words:
    return {"en": en.format(f"{value:.2f}"), "zh": zh.format(f"{value:.2f}")}
