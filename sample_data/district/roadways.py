"""Streets in the picture: pavement, asphalt, greens, bridges and what is painted on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
import shapely.ops

from sample_data.district.canvas import Canvas, Colour
from sample_data.district.district import District
from sample_data.district.intersections import Approach, Intersection
from sample_data.district.plan import Shape
from sample_data.district.streets import CARRIAGEWAYS, Segment

PAVEMENT: Colour = (190, 184, 173)
ASPHALT: dict[str, Colour] = {
    "arterial": (98, 100, 104), "collector": (106, 108, 110), "local": (118, 118, 118),
    "lane": (150, 147, 140), "alley": (166, 158, 146),
}  # fmt: skip
PAINT: Colour = (222, 220, 210)
WORN: Colour = (205, 204, 197)
YELLOW: Colour = (214, 184, 108)
VERGE: Colour = (150, 164, 112)
MEDIAN = 1.6
"""Half the width of the green in the middle of an arterial (m)."""


def draw_streets(of: District, canvas: Canvas, crossings: Sequence[Intersection]) -> None:
    """Draw all streets of a district, the greater over the smaller."""
    canvas.fill(of.reserve, PAVEMENT)
    for segment in of.main.segments:
        if segment.kind in ("arterial", "collector"):
            strip = 5.2 if segment.kind == "arterial" else 2.6
            half = CARRIAGEWAYS[segment.kind] / 2 + strip
            canvas.fill(segment.line.buffer(half, cap_style="flat"), VERGE)
    for kind in ("alley", "lane", "local", "collector", "arterial"):
        canvas.fill(of.streets.carriageways([kind]), ASPHALT[kind])
    wide = of.main.carriageways(["arterial", "collector"]).buffer(3.0)
    canvas.fill(
        shapely.union_all([c.area for c in crossings]).intersection(wide), ASPHALT["collector"]
    )
    quiet = shapely.union_all([c.area.buffer(2.0) for c in crossings])
    for segment in of.main.segments:
        if segment.street.bridge:
            deck = segment.line.intersection(of.water.river.buffer(6.0))
            canvas.stroke(deck, CARRIAGEWAYS[segment.kind] + 7.0, (202, 198, 190))
            canvas.stroke(deck, CARRIAGEWAYS[segment.kind] + 0.6, ASPHALT[segment.kind])
        for part in shapely.get_parts(segment.line.difference(quiet)):
            if part.length > 8.0:
                _mark(segment, part, canvas)
    for crossing in crossings:
        for approach in crossing.approaches:
            _mark_approach(approach, canvas)


def _mark(segment: Segment, part: Shape, canvas: Canvas) -> None:
    """Paint the lanes of a street between its crossings."""
    half = CARRIAGEWAYS[segment.kind] / 2
    offsets = [0.0]
    if segment.kind == "arterial":
        canvas.fill(part.buffer(MEDIAN), (176, 172, 160))
        canvas.fill(part.buffer(MEDIAN - 0.4), (128, 148, 92))
        for edge in (half - 0.5, 0.5 - half):
            canvas.stroke(shapely.offset_curve(part, edge), 0.3, (186, 184, 176))
        offsets = [s * (MEDIAN + (half - MEDIAN) * f) for s in (1, -1) for f in (1 / 3, 2 / 3)]
    elif segment.kind == "collector":
        canvas.stroke(part, 0.5, YELLOW)
        offsets = [half / 2, -half / 2]
    for offset in offsets:
        _dash(part if offset == 0.0 else shapely.offset_curve(part, offset), canvas)


def _dash(path: Shape, canvas: Canvas, mark: float = 4.0, pitch: float = 10.0) -> None:
    starts = np.arange(3.0, path.length - mark, pitch)
    ends = [
        shapely.get_coordinates(shapely.line_interpolate_point(path, along))
        for along in (starts, starts + mark)
    ]
    for a, b in zip(*ends, strict=True):
        canvas.stroke(shapely.LineString([a, b]), 0.3, WORN)


def _mark_approach(approach: Approach, canvas: Canvas) -> None:
    for stripe in approach.stripes:
        canvas.fill(stripe, PAINT)
    canvas.fill(approach.stop_line, PAINT)
    for lane in approach.lanes:
        if lane.way == "entry" and lane.number > 1:
            # Before the stop line lanes must not be changed: the line is whole.
            edge = shapely.offset_curve(lane.line, lane.width / 2)
            last = shapely.ops.substring(edge, max(0.0, edge.length - 32.0), edge.length)
            canvas.stroke(last, 0.28, WORN)
