"""Parts that charts of pipes have in common: scales, elevations, ground, legend, title."""

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from analysis.drawing import INK, denominators, scale_bar_length
from analysis.marks import FINE, THICK, THIN, Line, Mark, Scales, Words, text_width
from cim_core.mesh import Floats
from pipelines.dictionary import pipe_class

MARGIN = 12.0
HEAD = 34.0
"""The column left of a chart: elevations beside the drawing, what its rows are beside the table."""
_FOOT, _LEGEND = 30.0, 5.0
"""Below everything: the title with what it says, and each row of the legend."""
_EARTH = "#f5efe3"
_GRID = "#d8d2c6"
_GROUND = "#6d4c2f"


def fitting(metres: float, paper: float) -> int:
    """The denominator of the largest scale at which so many metres fit on so much paper (mm)."""
    return denominators_from(1000 * metres / paper)[0]


def denominators_from(least: float) -> list[int]:
    """The denominators that are no less than one, the largest scale first; one at least."""
    return [d for d in denominators() if d >= least] or denominators()[-1:]


def raised(across: int, metres: float, least: float) -> int:
    """The denominator of the scale of heights, at which `metres` take `least` millimetres of paper.

    That of distances where it does.
    """
    enough = [d for d in denominators() if d <= across and 1000 * metres / d >= least]
    return enough[-1] if enough else denominators()[0]


def spread(places: Floats, least: float, low: float, high: float) -> Floats:
    """Places in order, (n,), moved as little as it takes to be `least` apart, within two limits.

    >>> spread(np.array([5.0, 5.0, 9.0]), 2.0, 0.0, 20.0).tolist()
    [4.0, 6.0, 9.0]
    """
    steps = np.arange(len(places)) * least
    blocks: list[tuple[float, int]] = []
    for place in (places - steps).tolist():  # pooled where the order is violated
        total, count = place, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / count:
            before, several = blocks.pop()
            total, count = total + before, count + several
        blocks.append((total, count))
    found = np.repeat([total / count for total, count in blocks], [count for _, count in blocks])
    last = steps[-1] if len(steps) else 0.0
    moved: Floats = np.clip(found, low, max(low, high - last)) + steps
    return moved


def elevations(scales: Scales, low: float, high: float, right: float) -> Iterator[Mark]:
    """A staff of elevations left of a drawing, and lines across it up to `right`."""
    per_mark = 9 * scales.up / 1000
    step = next(s for s in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 1e9) if s >= per_mark)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    left = scales.left - 4.0
    for number in range(first, last + 1):
        y = scales.y(number * step)
        yield Line(np.array([[scales.left, y], [right, y]]), "grid", FINE, _GRID)
        text = f"{number * step:.{1 if step < 1 else 0}f}"
        yield Words(text, (left - 1.2, y), "elevations", anchor="end")
        if number < last:
            top = scales.y((number + 1) * step)
            bar = np.array([[left, y], [left + 1.5, y], [left + 1.5, top], [left, top]])
            fill = INK if number % 2 == 0 else "#ffffff"
            yield Line(bar, "elevations", FINE, closed=True, fill=fill)
    middle = (scales.y(low) + scales.y(high)) / 2
    yield Words("高程 Elevation (m)", (left - 14.0, middle), "elevations", 2.8, turned=True)


def earth(scales: Scales, distances: Floats, ground: Floats, low: float) -> Iterator[Mark]:
    """The ground as a surface with what is below it; distances and elevations (n,), all known."""
    surface = scales.points(distances, ground)
    floor = scales.y(low)
    below = np.vstack([surface, [[surface[-1, 0], floor], [surface[0, 0], floor]]])
    yield Line(below, "earth", 0.0, _EARTH, closed=True, fill=_EARTH)


def ground_line(scales: Scales, distances: Floats, ground: Floats) -> Iterator[Mark]:
    """The line of the ground with the strokes that stand for soil."""
    surface = scales.points(distances, ground)
    yield Line(surface, "ground", THICK, _GROUND)
    for x in np.arange(surface[0, 0] + 4, surface[-1, 0] - 3, 14.0).tolist():
        for step in (0.0, 1.0, 2.0):
            y = float(np.interp(x + step, *surface.T))
            stroke = np.array([[x + step, y], [x + step - 1.2, y - 1.6]])
            yield Line(stroke, "ground", FINE, _GROUND)


def known_line(distances: Floats, heights: Floats) -> Floats | None:
    """Heights, (n,), with those that are not known from their neighbours; None if none is known."""
    known = np.isfinite(heights)
    if not known.any():
        return None
    filled: Floats = np.interp(distances, distances[known], heights[known])
    return filled


def metres_text(value: float, decimals: int) -> str:
    """A number as drawings have it, a dash where it is not known."""
    return f"{value:.{decimals}f}" if math.isfinite(value) else "–"


def tint(color: str) -> str:
    """A colour, "#rrggbb", as pale as what is hollow or wide is filled."""
    mixed = (round(0.4 * channel + 0.6 * 255) for channel in bytes.fromhex(color[1:]))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def foot(classes: Iterable[str], right: float) -> float:
    """How high the title block with the legend of some classes is."""
    return _FOOT + _LEGEND * len(_legend_rows(classes, right))


def title_block(
    title: str, remarks: Sequence[str], scales: Scales, classes: Iterable[str], right: float
) -> Iterator[Mark]:
    """Below everything: title, scales, remarks and scale bar, and what the colours are."""
    rows = _legend_rows(classes, right)
    y = MARGIN / 2 + _LEGEND * len(rows) + 1.5
    yield Words(title, (MARGIN, y + 13.5), "title", 5.0, "start", bold=True)
    across, up = (f"1:{denominator}" for denominator in (scales.across, scales.up))
    said = f"比例 Scale {across}" if across == up else f"横 Horizontal {across} · 纵 Vertical {up}"
    for number, text in enumerate((said, *remarks)):
        yield Words(text, (MARGIN, y + 7.5 - 4.2 * number), "title", 2.8, "start")
    yield from _bar(scales, right, y + 12.0)
    for number, row in enumerate(rows):
        x, y = MARGIN, MARGIN / 2 + _LEGEND * (len(rows) - 1 - number)
        for color, text, wide in row:
            box = np.array([[x, y - 1.2], [x + 4, y - 1.2], [x + 4, y + 1.2], [x, y + 1.2]])
            yield Line(box, "legend", FINE, closed=True, fill=color)
            yield Words(text, (x + 5.2, y), "legend", 2.6, "start")
            x += wide


def _legend_rows(classes: Iterable[str], right: float) -> list[list[tuple[str, str, float]]]:
    """Colour, text and width of each class, in as many rows as they take."""
    rows: list[list[tuple[str, str, float]]] = []
    room = 0.0
    for name in sorted(set(classes)):
        known = pipe_class(name)
        text = " ".join(dict.fromkeys((known.title["zh"], known.title["en"])))
        wide = text_width(text, 2.6) + 10.0
        if wide > room:
            rows.append([])
            room = right - MARGIN
        rows[-1].append((known.color, text, wide))
        room -= wide
    return rows


def _bar(scales: Scales, right: float, y: float) -> Iterator[Mark]:
    length, parts = scale_bar_length(scales.across)
    wide = 1000 * length / scales.across
    left = right - wide - 6
    for number in range(parts):
        x = left + number * wide / parts
        box = np.array([[x, y], [x + wide / parts, y], [x + wide / parts, y + 1.4], [x, y + 1.4]])
        fill = INK if number % 2 == 0 else "#ffffff"
        yield Line(box, "scale", THIN, closed=True, fill=fill)
    yield Words("0", (left, y - 2.2), "scale")
    yield Words(f"{length:g} m", (left + wide, y - 2.2), "scale")
