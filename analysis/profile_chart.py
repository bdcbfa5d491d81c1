"""A longitudinal profile on paper: the ground, wells and pipes, and below them their table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np

from analysis.chart import Chart
from analysis.chart_parts import (
    HEAD,
    MARGIN,
    denominators_from,
    earth,
    elevations,
    foot,
    ground_line,
    known_line,
    metres_text,
    raised,
    tint,
    title_block,
)
from analysis.marks import FINE, PIPES, THIN, Line, Mark, Owner, Scales, Words, text_width
from cim_core.feature import Value
from cim_core.mesh import Floats
from cim_core.network import Network, NodeKind
from pipelines.dictionary import pipe_class
from pipelines.network_layer import size_text
from pipelines.profile import PathProfile

_SHEET, _LONGEST = 390.0, 1150.0
"""Millimetres for the drawing: A3 across, and as long as it may become so that labels fit."""
_APART = 3.0
"""Between the labels of two nodes, millimetres."""
_CELL = 7.0
"""Between two nodes, so that what stands between them in the table need not be turned."""
_TYPE = 2.3
_SLIM = 2.0
"""Millimetres on paper up to which pipes have their full colour; as surfaces they are pale."""
_DROP = 0.005
"""Metres by which pipes that meet differ before both inverts are written."""
_HEIGHTS = (13.0, 13.0, 11.0, 7.0, 9.0, 9.0, 17.0)
"""Of the rows of the table but the last, which is as high as the names of nodes are long."""
_ROWS = (
    "地面高程 Ground (m)", "管底高程 Invert (m)", "管底埋深 Depth (m)", "管径 Size (mm)",
    "坡度 Slope (‰)", "平距 Distance (m)", "桩号 Chainage", "点号 Point",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ProfileDrawing:
    """What the drawing of a profile needs beside the profile itself.

    nodes, segments
        The features on the path, in its order.
    chainages, terrain
        (s,) metres along the path and the elevation of the terrain there, NaN where it is unknown.
    """

    profile: PathProfile
    network: Network
    nodes: Sequence[Owner]
    segments: Sequence[Owner]
    chainages: Floats
    terrain: Floats
    remarks: Sequence[str]
    about: dict[str, Value]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Where the rows of the table lie: their heights from above, and the bottom of the last."""

    heights: tuple[float, ...]
    bottom: float

    @property
    def top(self) -> float:
        return self.bottom + sum(self.heights)

    @property
    def middles(self) -> list[float]:
        before = (sum(self.heights[:row]) for row in range(len(self.heights)))
        halves = (height / 2 for height in self.heights)
        return [self.top - above - half for above, half in zip(before, halves, strict=True)]


def profile_chart(drawing: ProfileDrawing) -> Chart:
    """The chart of a profile; heights are drawn larger than distances where that shows more."""
    profile = drawing.profile
    length = float(profile.chainages[-1])
    across = _across(profile.chainages)
    wide = 1000 * length / across
    low, high = _reach(drawing)
    up = raised(across, high - low, 40.0)
    classes = [owner.feature_class for owner in drawing.segments]
    right = MARGIN + HEAD + max(wide + 10.0, 150.0)
    longest = max(text_width(owner.id, _TYPE) for owner in drawing.nodes)
    rows = _Rows((*_HEIGHTS, min(max(longest + 2.5, 9.0), 26.0)), foot(classes, right))
    scales = Scales(across, up, MARGIN + HEAD + 5.0, rows.top + 4.0, low)
    ground = known_line(profile.chainages, profile.ground)
    marks: list[Mark] = []
    if ground is not None:
        marks += earth(scales, profile.chainages, ground, low)
    marks += elevations(scales, low, high, scales.x(length))
    if ground is not None:
        marks += ground_line(scales, profile.chainages, ground)
    marks += _stems(drawing, scales, rows.top)
    for number in range(len(profile.path)):
        marks += _pipe(drawing, number, scales)
    marks += _wells(drawing, scales)
    known = np.isfinite(drawing.terrain)
    if known.any():
        points = scales.points(drawing.chainages[known], drawing.terrain[known])
        marks.append(Line(points, "terrain", FINE, "#2e7d32", dashed=True))
    shown = _shown(drawing, scales)
    marks += _table(drawing, scales, shown, rows, scales.left + wide + 5.0)
    remarks = list(drawing.remarks)
    hidden = len(profile.path.nodes) - len(shown)
    if hidden:
        remarks.append(f"{hidden} 个点因间距过小未标注 points too close to be labelled")
    if known.any():
        remarks.append("绿色虚线为地形模型 dashed green: terrain model")
    title = "管线纵断面图 Profile of pipes"
    marks += title_block(title, (*remarks[:1], " · ".join(remarks[1:])), scales, classes, right)
    size = (right + MARGIN, scales.y(high) + MARGIN)
    return Chart(title, size, tuple(marks), scales, drawing.about)


def _across(chainages: Floats) -> int:
    """The scale of distances: the path fits the sheet, or a longer one where labels need it."""
    length = float(chainages[-1])
    fits = denominators_from(1000 * length / _LONGEST)
    usual = next((d for d in fits if 1000 * length / d <= _SHEET), fits[-1])
    apart = float(np.median(np.diff(chainages)))
    roomy = [d for d in fits if d <= usual and 1000 * apart / d >= _CELL]
    return roomy[-1] if roomy else fits[0] if apart > 0 else usual


def _reach(drawing: ProfileDrawing) -> tuple[float, float]:
    """The lowest and the highest elevation of the drawing, both at half metres."""
    profile = drawing.profile
    heights = (profile.ground, profile.bottoms, profile.inverts, profile.tops, drawing.terrain)
    known = np.concatenate([some.ravel() for some in heights])
    known = known[np.isfinite(known)]
    if not len(known):
        return 0.0, 1.0
    return float(np.floor(known.min() * 2 - 0.6) / 2), float(np.ceil(known.max() * 2 + 0.6) / 2)


def _stems(drawing: ProfileDrawing, scales: Scales, table: float) -> Iterator[Mark]:
    """From each node down to the table, to the top of which they are drawn."""
    profile = drawing.profile
    for number, owner in enumerate(drawing.nodes):
        x = scales.x(float(profile.chainages[number]))
        heights = [profile.ground[number], *_at_node(profile.tops, number)]
        top = max((h for h in heights if np.isfinite(h)), default=scales.base)
        ends = np.array([[x, table], [x, scales.y(float(top))]])
        yield Line(ends, "stems", FINE, "#9a948a", owner=owner)


def _pipe(drawing: ProfileDrawing, number: int, scales: Scales) -> Iterator[Mark]:
    profile, owner = drawing.profile, drawing.segments[number]
    chainages = profile.chainages[number : number + 2]
    inverts, tops = profile.inverts[number], profile.tops[number]
    color = pipe_class(owner.feature_class).color
    if not np.isfinite([inverts, tops]).all():
        axis = profile.axes[number]
        if np.isfinite(axis).all():
            yield Line(scales.points(chainages, axis), PIPES, THIN, color, dashed=True, owner=owner)
        return
    bottom, top = (scales.points(chainages, heights) for heights in (inverts, tops))
    sides = np.vstack([bottom, top[::-1]])
    highest = float(np.nanmax(profile.tops - profile.inverts))
    pale = tint(color) if 1000 * highest / scales.up > _SLIM else color
    yield Line(sides, PIPES, THIN, closed=True, fill=pale, owner=owner)


def _wells(drawing: ProfileDrawing, scales: Scales) -> Iterator[Mark]:
    """Shafts from their floor, or else the lowest pipe in them, to the ground."""
    profile = drawing.profile
    for number, owner in enumerate(drawing.nodes):
        node = int(profile.path.nodes[number])
        heights = [profile.bottoms[number], *_at_node(profile.inverts, number)]
        known = [float(h) for h in heights if np.isfinite(h)]
        ground = float(profile.ground[number])
        if drawing.network.nodes.kinds[node] != NodeKind.WELL or not known or np.isnan(ground):
            continue
        x, low, high = (
            scales.x(float(profile.chainages[number])),
            scales.y(min(known)),
            scales.y(ground),
        )
        shaft = np.array([[x - 0.8, low], [x + 0.8, low], [x + 0.8, high], [x - 0.8, high]])
        yield Line(shaft, "wells", THIN, closed=True, fill="#ffffff", owner=owner)


def _at_node(ends: Floats, number: int) -> tuple[float, ...]:
    """Of elevations at both ends of segments, (k, 2), those at a node: before it and after it."""
    before = (float(ends[number - 1, 1]),) if number > 0 else ()
    after = (float(ends[number, 0]),) if number < len(ends) else ()
    return before + after


def _inverts(profile: PathProfile, number: int) -> list[float]:
    """The inverts at a node, one where the pipes that meet there do."""
    both = _at_node(profile.inverts, number)
    return [both[0]] if len(both) == 2 and abs(both[0] - both[1]) < _DROP else list(both)


def _shown(drawing: ProfileDrawing, scales: Scales) -> dict[int, float]:
    """The nodes whose labels have room, and where they stand: the ends first, then in order."""
    profile = drawing.profile
    at = [scales.x(chainage) for chainage in profile.chainages.tolist()]
    last = len(at) - 1
    need = [_APART * (1 + len(_inverts(profile, number))) / 2 for number in range(last + 1)]
    shown = {0: at[0]}
    for number in range(1, last):
        before = next(reversed(shown))
        free_before = at[number] - at[before] >= (need[number] + need[before]) / 2
        free_after = at[last] - at[number] >= (need[number] + need[last]) / 2
        if free_before and free_after:
            shown[number] = at[number]
    return {**shown, last: at[last]}


def _table(
    drawing: ProfileDrawing, scales: Scales, shown: dict[int, float], rows: _Rows, right: float
) -> Iterator[Mark]:
    profile = drawing.profile
    for name, height, middle in zip(_ROWS, rows.heights, rows.middles, strict=True):
        y = middle + height / 2
        yield Line(np.array([[MARGIN, y], [right, y]]), "table", FINE)
        yield Words(name, (MARGIN + 1.2, middle), "table", _TYPE, "start")
    for x in (MARGIN, MARGIN + HEAD, right):
        yield Line(np.array([[x, rows.bottom], [x, rows.top]]), "table", THIN)
    yield Line(np.array([[MARGIN, rows.bottom], [right, rows.bottom]]), "table", THIN)
    for number, x in shown.items():
        yield from _node_cells(drawing, number, x, rows)
    for first, after, text, owner in _runs(drawing):
        ends = (scales.x(profile.chainages[first]), scales.x(profile.chainages[after]))
        yield from _cell(text, ends, rows, 3, owner)
    for number, owner in enumerate(drawing.segments):
        begin, end = profile.chainages[number : number + 2].tolist()
        slope = profile.slopes[number]
        texts = (f"{slope:.2f}" if np.isfinite(slope) else "–", f"{end - begin:.2f}")
        for row, text in zip((4, 5), texts, strict=True):
            yield from _cell(text, (scales.x(begin), scales.x(end)), rows, row, owner)


def _node_cells(drawing: ProfileDrawing, number: int, x: float, rows: _Rows) -> Iterator[Mark]:
    """Ground, inverts, depth, chainage and name of a node; pipes that meet at a drop side by side."""
    profile, owner = drawing.profile, drawing.nodes[number]
    ground = float(profile.ground[number])
    inverts = _inverts(profile, number)
    lowest = min((h for h in inverts if np.isfinite(h)), default=np.nan)
    thousands, rest = divmod(float(profile.chainages[number]), 1000)
    cells = [
        (0, x, metres_text(ground, 3)), (2, x, metres_text(ground - lowest, 2)),
        (6, x, f"{thousands:.0f}+{rest:06.2f}"), (7, x, owner.id),
    ]  # fmt: skip
    for side, invert in enumerate(inverts):
        aside = (side - (len(inverts) - 1) / 2) * _APART
        cells.append((1, x + aside, metres_text(invert, 3)))
    for row, place, text in cells:
        room = rows.heights[row] - 1.5
        size = min(_TYPE, _TYPE * room / max(text_width(text, _TYPE), 0.1))
        yield Words(text, (place, rows.middles[row]), "table", size, turned=True, owner=owner)


def _runs(drawing: ProfileDrawing) -> Iterator[tuple[int, int, str, Owner]]:
    """Segments of one size and material that follow one another: first, after the last, text."""
    segments = drawing.network.segments
    rows = drawing.profile.path.segments.tolist()
    texts = [" ".join(filter(None, (size_text(segments, r), segments.materials.text(r)))) for r in rows]  # fmt: skip
    begins = [next(some)[0] for _, some in groupby(enumerate(texts), key=lambda item: item[1])]
    for first, after in pairwise([*begins, len(rows)]):
        yield first, after, texts[first] or "–", drawing.segments[first]


def _cell(
    text: str, ends: tuple[float, float], rows: _Rows, row: int, owner: Owner
) -> Iterator[Mark]:
    """A cell between two nodes; its text turned where it is narrow, left out where it cannot be read."""
    middle, high = rows.middles[row], rows.heights[row]
    for x in ends:
        yield Line(np.array([[x, middle - high / 2], [x, middle + high / 2]]), "table", FINE)
    wide, x = ends[1] - ends[0], (ends[0] + ends[1]) / 2
    if text_width(text, _TYPE) <= wide - 0.8:
        yield Words(text, (x, middle), "table", _TYPE, owner=owner)
    elif text_width(text, _TYPE) <= high - 0.8 and wide >= _TYPE + 0.3:
        yield Words(text, (x, middle), "table", _TYPE, turned=True, owner=owner)
