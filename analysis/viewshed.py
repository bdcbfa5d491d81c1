"""What is seen from a place: the ground and the walls of buildings, each decided by a ray."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import shapely

from analysis.analysis import Answer, Text, parameter
from analysis.rays.panels import Panels, ground_points, quads, squares, wall_panels
from analysis.rays.question import ViewQuestion, about, eye_at, point_of, standing_after
from analysis.rays.scene import Scene
from analysis.rays.tree import Bools
from cim_core.city import City
from cim_core.feature import Value
from cim_core.mesh import Floats
from cim_core.progress import Progress
from cim_core.sketch import Sketch, SketchClass, SketchShape
from cim_core.table import Column, Table

_MOST_PANELS = 60_000

_CLASSES = {
    "eye": SketchClass({"en": "Where one stands", "zh": "观察点"}, "#ffffff"),
    "hidden": SketchClass({"en": "Hidden ground", "zh": "不可见地面"}, "#5b6470"),
    "seen": SketchClass({"en": "Ground that is seen", "zh": "可见地面"}, "#3fb950"),
    "lost": SketchClass({"en": "Hidden once it is built", "zh": "建成后被遮挡"}, "#e5534b"),
    "gained": SketchClass({"en": "Seen once it is built", "zh": "建成后新可见"}, "#4493f8"),
    "wall": SketchClass({"en": "Wall that is seen", "zh": "可见立面"}, "#e3b341"),
}

_SHARES = (
    Column("what", {"en": "What", "zh": "对象"}, "text"),
    Column("points", {"en": "Points", "zh": "计算点数"}, "integer"),
    Column("seen", {"en": "Seen", "zh": "可见"}, "integer"),
    Column("share", {"en": "Share", "zh": "可见比例"}, "number", "%"),
    Column("seen_after", {"en": "Seen once it is built", "zh": "建成后可见"}, "integer"),
    Column("share_after", {"en": "Share once it is built", "zh": "建成后可见比例"}, "number", "%"),
)
_BUILDINGS = (
    Column("proof", {"en": "Shown", "zh": "图形"}, "sketch"),
    Column("layer", {"en": "Layer", "zh": "图层"}, "text"),
    Column("id", {"en": "Id", "zh": "标识"}, "text"),
    Column("name", {"en": "Name", "zh": "名称"}, "text"),
    Column("distance", {"en": "Distance", "zh": "距离"}, "number", "m"),
    Column("panels", {"en": "Parts of its walls", "zh": "立面单元数"}, "integer"),
    Column("seen", {"en": "Seen", "zh": "可见"}, "integer"),
    Column("seen_after", {"en": "Seen once it is built", "zh": "建成后可见"}, "integer"),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """Which points are seen, (n,), as it is and once what is planned stands there."""

    before: Bools
    after: Bools


class Viewshed(ViewQuestion):
    """What of the ground and of walls one sees from a place, with nothing but triangles in between."""

    name: ClassVar[str] = "viewshed"
    title: ClassVar[Text] = {"en": "Viewshed", "zh": "视域分析"}
    description: ClassVar[Text] = {
        "en": "Which ground and which walls are seen from a place, over terrain and past buildings.",
        "zh": "从观察点出发，考虑地形与建筑遮挡，计算可见地面和建筑立面。",
    }
    outputs: ClassVar[Mapping[str, Text]] = {
        "shares": {"en": "How much is seen", "zh": "可见比例"},
        "buildings": {"en": "Buildings that are seen", "zh": "可见建筑"},
        "sketch": {"en": "On the map", "zh": "空间分布"},
        "about": {"en": "What it is made of", "zh": "数据来源"},
    }

    radius: float = parameter(
        300.0,
        {"en": "Radius", "zh": "半径"},
        {"en": "How far is looked.", "zh": "可视分析半径。"},
        unit="m", ge=10, le=3000,
    )  # fmt: skip
    target: float = parameter(
        0.0,
        {"en": "Target height", "zh": "目标高度"},
        {"en": "How high above the ground what is looked for is.", "zh": "目标离地高度。"},
        unit="m", ge=0, le=500, rare=True,
    )  # fmt: skip
    spacing: float | None = parameter(
        None,
        {"en": "Spacing", "zh": "间距"},
        {
            "en": "Between points of the ground and of walls; a thirtieth of the radius if not given.",
            "zh": "地面和立面计算点的间距；不填则为半径的三十分之一。",
        },
        unit="m", ge=0.5, le=100, rare=True,
    )  # fmt: skip

    def __call__(self, city: City, progress: Progress) -> Answer:
        """The points that are seen; raises `InvalidInput` where there would be too many."""
        place = point_of(self.place, "place")
        wide = self.spacing or max(1.0, self.radius / 30)
        scene = self.scene(city, place, max(self.reach, self.radius), progress)
        eye = eye_at(scene, place, self.height)
        circle = shapely.Point(eye[:2]).buffer(self.radius, quad_segs=32)
        area = shapely.transform(
            circle, lambda p: scene.geographic(np.column_stack([p, np.zeros(len(p))]))[:, :2]
        )
        ground = ground_points(scene, area, wide, self.target)
        near = [
            thing
            for thing in range(len(scene.things))
            if scene.things[thing].outline is not None
            and shapely.intersects(circle, scene.outlines[thing])
        ]
        walls = wall_panels(scene, near, wide, wide / 2, wide, all_storeys=True, most=_MOST_PANELS)
        progress(1, 3, "rays")
        now = scene.only(~scene.planned)
        scenes = now, scene.only(standing_after(scene)) if self.planned else now
        on_ground = seen_from(scenes, eye, ground)
        on_walls = seen_from(scenes, eye, walls.points)
        # What is planned is not there to be seen before.
        built = Seen(on_walls.before & ~scene.planned[walls.things], on_walls.after)
        shapes = self._sketch(scene, eye, ground, on_ground, walls, built, wide)
        return Answer(
            {
                "shares": self._shares(on_ground, built),
                "buildings": self._buildings(scene, eye, walls, built),
                "sketch": Sketch(tuple(shapes), _CLASSES),
                "about": about(scene),
            },
            scene.versions,
        )

    def _sketch(
        self, scene: Scene, eye: Floats, ground: Floats, on_ground: Seen, walls: Panels,
        built: Seen, wide: float,
    ) -> list[SketchShape]:  # fmt: skip
        shapes = [
            SketchShape(f"g{i}", _class_of(bool(before), bool(after)), shape, bottom=height)
            for i, ((shape, height), before, after) in enumerate(
                zip(squares(scene, ground, wide), on_ground.before, on_ground.after, strict=True)
            )
        ]
        rows = np.flatnonzero(built.before | built.after)
        for i, quad in zip(rows.tolist(), quads(scene, walls.corners[rows]), strict=True):
            kind = _class_of(bool(built.before[i]), bool(built.after[i]))
            shapes.append(SketchShape(f"w{i}", "wall" if kind == "seen" else kind, quad))
        [place] = scene.geographic(eye[None])
        return [*shapes, SketchShape("eye", "eye", shapely.Point(place))]

    def _shares(self, ground: Seen, walls: Seen) -> Table:
        rows: list[tuple[Value, ...]] = []
        for what, seen in (("ground", ground), ("walls", walls)):
            count, before, after = (int(x) for x in (len(seen.before), seen.before.sum(), seen.after.sum()))  # fmt: skip
            of = 100 / max(count, 1)
            later = (after, round(after * of, 3)) if self.planned else (None, None)
            rows.append((what, count, before, round(before * of, 3), *later))
        return Table(_SHARES, tuple(rows))

    def _buildings(self, scene: Scene, eye: Floats, walls: Panels, seen: Seen) -> Table:
        rows: list[tuple[Value, ...]] = []
        for thing in np.unique(walls.things[seen.before | seen.after]).tolist():
            of = walls.things == thing
            shown = np.flatnonzero(of & (seen.before | seen.after)).tolist()
            known = scene.things[thing]
            away = float(shapely.distance(scene.outlines[thing], shapely.Point(eye[:2])))
            rows.append(
                (
                    [f"w{i}" for i in shown], known.layer, known.id, known.name, round(away, 1),
                    int(of.sum()), int(seen.before[of].sum()),
                    int(seen.after[of].sum()) if self.planned else None,
                )
            )  # fmt: skip
        rows.sort(key=lambda row: (row[4], str(row[2])))
        return Table(_BUILDINGS, tuple(rows))


def seen_from(scenes: tuple[Scene, Scene], eye: Floats, points: Floats) -> Seen:
    """Which (n, 3) points are seen from an eye (3,) in two scenes, which may be one."""
    ways = points - eye
    eyes = np.broadcast_to(eye, points.shape)
    now, built = scenes
    before = ~now.tree.met(eyes, ways, 1.0)
    return Seen(before, before if built is now else ~built.tree.met(eyes, ways, 1.0))


def _class_of(before: bool, after: bool) -> str:
    if before == after:
        return "seen" if after else "hidden"
    return "gained" if after else "lost"
