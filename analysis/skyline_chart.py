"""A skyline on paper: all directions from left to right, the elevation upwards."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from analysis.chart import Chart
from analysis.drawing import INK
from analysis.marks import FINE, THICK, Line, Mark, Scales, Words, text_width
from cim_core.feature import Value
from cim_core.mesh import Floats

_LEFT, _BOTTOM, _WIDE, _HIGH = 18.0, 24.0, 252.0, 70.0
_GRID = "#d8d2c6"
_NOW, _BUILT = "#9aa3ad", "#e5534b"
_NAMES = 12
"""So many of the highest are named at most."""
_POINTS = ("北 N", "东 E", "南 S", "西 W", "北 N")


def skyline_chart(
    azimuths: Floats, now: Floats, built: Floats | None,
    names: Sequence[tuple[float, float, str]], about: Mapping[str, Value],
) -> Chart:  # fmt: skip
    """The chart of (n,) elevations at azimuths, degrees, as it is and once something planned stands.

    `names` are azimuth, elevation and text, the most important first. A degree across and a degree
    upwards are a metre of the scales.
    """
    highest = max(float(now.max()), float(now.max() if built is None else built.max()), 10.0)
    top = float(np.ceil(highest / 10) * 10)
    scales = Scales(round(1000 * 360 / _WIDE), round(1000 * top / _HIGH), _LEFT, _BOTTOM, 0.0)
    marks: list[Mark] = []
    if built is not None:
        marks.append(_filled(scales, azimuths, built, _BUILT, "built"))
    marks.append(_filled(scales, azimuths, now, _NOW, "now"))
    marks += _frame(scales, top)
    marks += _named(scales, names)
    marks += _legend(scales, planned=built is not None)
    size = (scales.x(360) + 12.0, scales.y(top) + 16.0)
    return Chart("天际线 Skyline", size, tuple(marks), scales, about)


def _filled(scales: Scales, azimuths: Floats, elevations: Floats, color: str, group: str) -> Line:
    over = np.maximum(elevations, 0.0)
    across = np.concatenate([[0.0], azimuths, [360.0, 360.0]])
    up = np.concatenate([[0.0], over, [over[0], 0.0]])
    return Line(scales.points(across, up), group, FINE, color, closed=True, fill=color)


def _frame(scales: Scales, top: float) -> Iterator[Mark]:
    for angle in range(0, 361, 30):
        x = scales.x(angle)
        yield Line(np.array([[x, scales.y(0)], [x, scales.y(top)]]), "grid", FINE, _GRID)
        yield Words(f"{angle}°", (x, scales.y(0) - 3.0), "scale", 2.3)
        if angle % 90 == 0:
            yield Words(_POINTS[angle // 90], (x, scales.y(0) - 7.0), "scale", 2.6, bold=True)
    step = 5 if top <= 30 else 10
    for angle in range(0, int(top) + 1, step):
        y = scales.y(angle)
        yield Line(np.array([[scales.x(0), y], [scales.x(360), y]]), "grid", FINE, _GRID)
        yield Words(f"{angle}°", (scales.x(0) - 1.5, y), "scale", 2.3, "end")
    yield Line(np.array([[scales.x(0), scales.y(0)], [scales.x(360), scales.y(0)]]), "frame", THICK)


def _named(scales: Scales, names: Sequence[tuple[float, float, str]]) -> Iterator[Mark]:
    taken: list[tuple[float, float]] = []
    for azimuth, elevation, text in names:
        if len(taken) == _NAMES:
            break
        if elevation <= 0 or not text:
            continue
        half = text_width(text, 2.3) / 2 + 1.0
        x = float(np.clip(scales.x(azimuth), scales.x(0) + half, scales.x(360) - half))
        if any(abs(x - other) < half + width for other, width in taken):
            continue
        taken.append((x, half))
        yield Words(text, (x, scales.y(elevation) + 2.6), "names", 2.3, color=INK)


def _legend(scales: Scales, *, planned: bool) -> Iterator[Mark]:
    entries = [(_NOW, "现状 Now")] + ([(_BUILT, "建成后 Once it is built")] if planned else [])
    x, y = scales.x(0), 8.0
    for color, text in entries:
        box = np.array([[x, y - 1.2], [x + 4, y - 1.2], [x + 4, y + 1.2], [x, y + 1.2]])
        yield Line(box, "legend", FINE, closed=True, fill=color)
        yield Words(text, (x + 5.2, y), "legend", 2.6, "start")
        x += text_width(text, 2.6) + 14.0
