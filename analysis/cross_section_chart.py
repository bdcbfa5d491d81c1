"""A cross-section of pipes on paper: the ground, the pipes as they are cut, and their table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.chart import Chart
from analysis.chart_parts import (
    HEAD,
    MARGIN,
    earth,
    elevations,
    fitting,
    foot,
    ground_line,
    known_line,
    metres_text,
    raised,
    spread,
    tint,
    title_block,
)
from analysis.marks import FINE, PIPES, THIN, Ellipse, Line, Mark, Owner, Scales, Words, text_width
from cim_core.feature import Value
from cim_core.mesh import Floats
from cim_core.network import Profile, Segments
from pipelines.cross_section import CrossSection
from pipelines.dictionary import pipe_class
from pipelines.network_layer import size_text

_SHEET, _LONGEST = 390.0, 1150.0
"""Millimetres for the drawing: A3 across, and as long as it may become so that labels fit."""
_COLUMN, _WIDEST, _ROW = 18.0, 30.0, 6.2
_DOT = 0.6
"""Half of the width of the dot that stands for a pipe too small to be seen, millimetres."""
_LABEL = 4.6
"""Between the labels of two pipes, millimetres."""
_ROWS = (
    "编号 No.", "管类 Class", "规格 Size (mm)", "材质 Material", "距起点 Offset (m)",
    "地面高程 Ground (m)", "管顶高程 Top (m)", "管底高程 Invert (m)", "覆土 Cover (m)",
    "水平净距 Spacing (m)",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SectionDrawing:
    """What the drawing of a cross-section needs beside the section itself.

    owners
        The feature of each pipe that is cut.
    distances, ground
        (n,) metres along the line and elevations of the ground there, NaN where they are unknown.
    """

    section: CrossSection
    segments: Segments
    owners: Sequence[Owner]
    distances: Floats
    ground: Floats
    remarks: Sequence[str]
    about: dict[str, Value]


def cross_section_chart(drawing: SectionDrawing) -> Chart:
    """The chart of a cross-section, at the largest scale of the standards that fits a sheet."""
    section = drawing.section
    count = len(section)
    # Scales are up to 2.5 times apart, so this leaves room for all labels over the pipes.
    across = fitting(section.length, min(max(_SHEET, 2.5 * _LABEL * (count + 1)), _LONGEST))
    wide = 1000 * section.length / across
    columns = max(int(max(wide, _SHEET) // _COLUMN), 1)
    column = min(max(_COLUMN, wide / max(count, 1)), _WIDEST)
    bands = [range(first, min(first + columns, count)) for first in range(0, count, columns)]
    ground = known_line(drawing.distances, drawing.ground)
    low, high = _reach(section, ground)
    up = raised(across, high - low, 40.0)
    table = len(bands) * (len(_ROWS) * _ROW + 5.0)
    right = MARGIN + HEAD + max(wide, min(count, columns) * column, 150.0)
    classes = [owner.feature_class for owner in drawing.owners]
    below = foot(classes, right)
    scales = Scales(across, up, MARGIN + HEAD, below + table + 9.0, low)
    top = scales.y(high)
    labels = [_label(drawing, number) for number in range(count)]
    tall = max((text_width(text, 2.4) for text in labels), default=0.0)
    size = (right + MARGIN, top + 17.0 + tall + MARGIN)
    marks: list[Mark] = []
    if ground is not None:
        marks += earth(scales, drawing.distances, ground, low)
    marks += elevations(scales, low, high, scales.x(section.length))
    if ground is not None:
        marks += ground_line(scales, drawing.distances, ground)
    marks += _ends(scales, section.length, low, high)
    for number in range(count):
        marks += _pipe(drawing, number, scales, (low, high))
    marks += _leaders(drawing, labels, scales, (high, top))
    for number, band in enumerate(bands):
        marks += _band(drawing, band, below + table - number * (table / len(bands)), column)
    remarks = list(drawing.remarks)
    if any(_is_dot(_radii(drawing, number, scales)) for number in range(count)):
        remarks.append("圆点为按比例过小的管线 dots: pipes too small for the scale")
    title = "管线横断面图 Cross-section of pipes"
    marks += title_block(title, remarks, scales, classes, right)
    return Chart(title, size, tuple(marks), scales, drawing.about)


def _reach(section: CrossSection, ground: Floats | None) -> tuple[float, float]:
    """The lowest and the highest elevation of the drawing, both at half metres."""
    known = np.concatenate([section.bottoms, section.tops, [] if ground is None else ground])
    known = known[np.isfinite(known)]
    if not len(known):
        return 0.0, 1.0
    low = np.floor((known.min() - 0.3) * 2) / 2
    high = np.ceil((known.max() + 0.2) * 2) / 2
    return float(low), float(high)


def _ends(scales: Scales, length: float, low: float, high: float) -> Iterator[Mark]:
    """The frame of the drawing, the letters of the line's ends, and distances along it."""
    left, right, bottom, top = scales.x(0), scales.x(length), scales.y(low), scales.y(high)
    for x, letter in ((left, "A"), (right, "A′")):
        yield Line(np.array([[x, bottom], [x, top + 4]]), "frame", FINE)
        yield Words(letter, (x, top + 6.5), "frame", 4.0, bold=True)
    yield Line(np.array([[left, bottom], [right, bottom]]), "frame", THIN)
    step = next(s for s in (0.5, 1, 2, 5, 10, 20, 50, 100, 500) if 1000 * s / scales.across >= 18)
    for number in range(int(length / step + 1e-9) + 1):
        x = scales.x(number * step)
        yield Line(np.array([[x, bottom], [x, bottom - 1.2]]), "frame", FINE)
        yield Words(f"{number * step:g}", (x, bottom - 3.2), "frame", 2.2)
    yield Words("距离 Distance (m)", (left - 3.0, bottom - 3.2), "frame", 2.2, "end")


def _pipe(
    drawing: SectionDrawing, number: int, scales: Scales, reach: tuple[float, float]
) -> Iterator[Mark]:
    section, owner = drawing.section, drawing.owners[number]
    row = int(section.segments[number])
    color = pipe_class(owner.feature_class).color
    x, axis = scales.x(float(section.offsets[number])), float(section.axes[number])
    if not np.isfinite(axis):
        ends = np.array([[x, scales.y(reach[0])], [x, scales.y(reach[1])]])
        yield Line(ends, PIPES, THIN, color, dashed=True, owner=owner)
        return
    y = scales.y(axis)
    wide, high = section.sizes[number].tolist()
    if not (np.isfinite(wide) and np.isfinite(high)):
        yield Ellipse((x, y), (1.2, 1.2), PIPES, THIN, fill="#ffffff", owner=owner)
        yield Ellipse((x, y), (0.4, 0.4), PIPES, THIN, fill=color, owner=owner)
        return
    radii = _radii(drawing, number, scales)
    if _is_dot(radii):
        yield Ellipse((x, y), (_DOT, _DOT), PIPES, FINE, fill=color, owner=owner)
        return
    segments = drawing.segments
    if segments.profiles[row] == Profile.CIRCLE:
        yield Ellipse((x, y), radii, PIPES, THIN, fill=color, owner=owner)
    else:
        yield _box((x, y), radii, color, owner)
    stretched = wide / float(segments.outer[row, 0])
    clear = _clear(segments, row, stretched, scales)
    if clear is None:
        return
    if segments.profiles[row] == Profile.CIRCLE:
        yield Ellipse((x, y), clear, PIPES, FINE, fill=tint(color), owner=owner)
    elif segments.profiles[row] == Profile.BOX:
        yield _box((x, y), clear, tint(color), owner)
    else:
        columns, rows = segments.ducts[row].tolist()
        for place in range(columns * rows):
            hole = (
                x + radii[0] * (2 * (place % columns) + 1 - columns) / columns,
                y + radii[1] * (2 * (place // columns) + 1 - rows) / rows,
            )
            yield Ellipse(hole, clear, PIPES, FINE, fill="#ffffff", owner=owner)


def _radii(drawing: SectionDrawing, number: int, scales: Scales) -> tuple[float, float]:
    """Half of the width and height of a pipe as cut, on paper."""
    wide, high = drawing.section.sizes[number].tolist()
    return 500 * wide / scales.across, 500 * high / scales.up


def _is_dot(radii: tuple[float, float]) -> bool:
    """Whether a pipe is so small on paper, or so thin, that nobody would see it."""
    return min(radii) < _DOT / 2 and max(radii) < 2 * _DOT


def _clear(
    segments: Segments, row: int, stretched: float, scales: Scales
) -> tuple[float, float] | None:
    """Half of the width and height of what is hollow, on paper; None where that is too fine."""
    if segments.profiles[row] == Profile.DUCTS:
        wide = high = float(segments.duct_sizes[row]) if segments.ducts[row].all() else np.nan
    elif np.nan_to_num(segments.walls[row]) > 0:
        wide, high = float(segments.widths[row]), float(segments.heights[row])
    else:
        return None
    radii = 500 * wide * stretched / scales.across, 500 * high / scales.up
    return radii if min(radii) > 0.15 else None


def _box(middle: tuple[float, float], radii: tuple[float, float], fill: str, owner: Owner) -> Line:
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * radii + middle
    return Line(corners, PIPES, THIN, closed=True, fill=fill, owner=owner)


def _leaders(
    drawing: SectionDrawing, labels: Sequence[str], scales: Scales, heights: tuple[float, float]
) -> Iterator[Mark]:
    """From each pipe up to its number and its label, which stand apart however close pipes lie."""
    section = drawing.section
    high, top = heights
    at = np.array([scales.x(offset) for offset in section.offsets.tolist()])
    room = _LABEL * max(len(at) - 1, 0)
    slack = max(0.0, room - (scales.x(section.length) - scales.left)) / 2 + 2
    places = spread(at, _LABEL, scales.left - slack, scales.x(section.length) + slack)
    for number, (x, place, owner) in enumerate(zip(at, places, drawing.owners, strict=True)):
        known = (section.tops[number], section.axes[number], high)
        y = scales.y(next(float(height) for height in known if np.isfinite(height)))
        knee = np.array([[x, y], [x, top + 1.5], [place, top + 9.0], [place, top + 10.2]])
        yield Line(knee, "leaders", FINE, "#555555", owner=owner)
        yield Ellipse((place, top + 12.2), (2.0, 2.0), "leaders", FINE, fill="#ffffff", owner=owner)
        yield Words(f"{number + 1}", (place, top + 12.2), "leaders", 2.2, owner=owner)
        yield Words(
            labels[number], (place, top + 15.4), "leaders", 2.4, "start", turned=True, owner=owner
        )


def _label(drawing: SectionDrawing, number: int) -> str:
    section = drawing.section
    size = size_text(drawing.segments, int(section.segments[number]))
    title = pipe_class(drawing.owners[number].feature_class).title["zh"]
    unknown = "" if np.isfinite(section.axes[number]) else "高程不详"
    return " ".join(filter(None, (title, size, unknown)))


def _band(drawing: SectionDrawing, band: range, top: float, column: float) -> Iterator[Mark]:
    """The table of some pipes, a column each."""
    left = MARGIN + HEAD
    right = left + len(band) * column
    bottom = top - len(_ROWS) * _ROW
    for number, name in enumerate(_ROWS):
        y = top - number * _ROW
        yield Line(np.array([[MARGIN, y], [right, y]]), "table", FINE)
        yield Words(name, (MARGIN + 1.2, y - _ROW / 2), "table", 2.3, "start")
    for x in (MARGIN, left, right):
        yield Line(np.array([[x, bottom], [x, top]]), "table", THIN)
    yield Line(np.array([[MARGIN, bottom], [right, bottom]]), "table", THIN)
    spacing = bottom + _ROW
    for place, number in enumerate(band):
        x = left + place * column
        owner = drawing.owners[number]
        yield Line(np.array([[x + column, spacing], [x + column, top]]), "table", FINE)
        for line, text in enumerate(_cells(drawing, number)):
            size = min(2.4, 2.4 * (column - 1.5) / max(text_width(text, 2.4), 0.1))
            y = top - (line + 0.5) * _ROW
            yield Words(text, (x + column / 2, y), "table", size, owner=owner)
        gap = drawing.section.gaps[number]
        if np.isfinite(gap):  # stands below the line between two pipes
            text = f"{gap:.2f}"
            inside = min(x + column, right - 0.8 - text_width(text, 2.4) / 2)
            yield Words(text, (inside, bottom + _ROW / 2), "table", 2.4)
            yield Line(np.array([[x + column, spacing], [x + column, spacing - 1]]), "table", FINE)


def _cells(drawing: SectionDrawing, number: int) -> Iterator[str]:
    section, segments = drawing.section, drawing.segments
    row = int(section.segments[number])
    known = pipe_class(drawing.owners[number].feature_class)
    yield f"{number + 1}"
    yield " ".join(dict.fromkeys((known.title["zh"], known.code)))
    yield size_text(segments, row) or "–"
    yield segments.materials.text(row) or "–"
    yield metres_text(section.offsets[number], 2)
    yield metres_text(section.ground[number], 3)
    yield metres_text(section.tops[number], 3)
    yield metres_text(section.inverts[number], 3)
    yield metres_text(section.cover[number], 2)
