"""A section as a drawing on paper: its scale, its lines and its words, whatever file it goes to."""

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
import shapely

from analysis.plane import Plane
from analysis.section import Cut, bounds
from cim_core.feature import Value
from cim_core.mesh import Floats

MARGIN = 12.0
"""Millimetres of paper around the drawing."""
FOOT = 26.0
"""Millimetres below it for scale bar and title."""
INK = "#1c1c1c"


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn.

    cuts
        At least one; in metres of the plane's drawing.
    title
        The name of the model.
    level
        The height of a level plane, metres above the city's datum; None for other planes.
    about
        Where it comes from: layer, version, plane; kept in the file.
    """

    cuts: tuple[Cut, ...]
    plane: Plane
    title: str
    level: float | None
    about: Mapping[str, Value]

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """left, bottom, right, top, metres."""
        return bounds(self.cuts)

    @property
    def scale(self) -> int:
        """The denominator of the scale."""
        left, bottom, right, top = self.bounds
        wide, high = _table()["scales"]["sheet"]
        needed = 1000 * max((right - left) / wide, (top - bottom) / high)
        return next((d for d in denominators() if d >= needed), denominators()[-1])

    @property
    def millimetre(self) -> float:
        """The metres that a millimetre of paper stands for."""
        return self.scale / 1000

    @property
    def upright(self) -> bool:
        """Whether up in the drawing is up in the world, so that its heights can be read."""
        return bool((self.plane.up == (0.0, 0.0, 1.0)).all())

    @property
    def subtitle(self) -> str:
        """What is drawn and how large, in both languages."""
        if self.level is not None:
            return f"平面图 Plan · {self.level:+.3f} m · 1:{self.scale}"
        return f"剖面图 Section · 1:{self.scale}"

    def groups(self) -> Iterator[tuple[str, float, list[Cut]]]:
        """Class, line width in millimetres and cuts; what is drawn over the others comes last."""
        by_class: dict[str, list[Cut]] = {}
        for item in self.cuts:
            by_class.setdefault(item.feature.feature_class, []).append(item)
        for name in sorted(by_class, key=lambda name: (line_width(name), name)):
            largest_first = sorted(by_class[name], key=lambda item: -item.face.area)
            yield name, line_width(name), largest_first


def denominators() -> list[int]:
    """The denominators of all scales that drawings have, the largest scale first."""
    known: list[int] = _table()["scales"]["denominators"]
    return known


def fonts() -> list[str]:
    """Where fonts with Chinese letters are on the machines that have them."""
    known: list[str] = _table()["fonts"]["files"]
    return known


def line_width(feature_class: str) -> float:
    """The width of the outline of a class, millimetres.

    >>> line_width("IfcWall"), line_width("IfcDoor"), line_width("IfcFurniture")
    (0.5, 0.35, 0.13)
    """
    lines = _table()["lines"]
    kinds = ("main", "fine")
    kind = next((kind for kind in kinds if feature_class in lines[kind]["classes"]), "other")
    return float(lines[kind]["width"])


def fill(item: Cut) -> str:
    """The colour of a cut as it looks on white paper: "#rrggbb".

    Glass is nearly white; a drawing that mixes opacities does not print.
    """
    opacity = item.material.color[3]
    mixed = (round(channel * opacity + 255 * (1 - opacity)) for channel in item.material.srgb())
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def outlines(item: Cut) -> Iterator[tuple[Floats, bool]]:
    """The lines of a cut, (n, 2) metres each, and whether it is closed: its last point its first."""
    for polygon in item.face.geoms:
        for ring in (polygon.exterior, *polygon.interiors):
            yield np.asarray(shapely.get_coordinates(ring), np.float64), True
    for line in item.lines.geoms:
        yield np.asarray(shapely.get_coordinates(line), np.float64), False


def scale_bar(drawing: Drawing) -> tuple[float, int]:
    """The length of the scale bar, metres, and its number of parts; 30 to 75 mm of paper."""
    return scale_bar_length(drawing.scale)


def scale_bar_length(denominator: int) -> tuple[float, int]:
    """The length of the scale bar at a scale, metres, and its number of parts.

    >>> scale_bar_length(500)
    (20.0, 4)
    """
    least = 30 * denominator / 1000
    power = 10.0 ** math.floor(math.log10(least))
    digit = next(digit for digit in (1, 2, 5, 10) if digit * power >= least)
    return digit * power, 4 if digit == 2 else 5


def height_marks(drawing: Drawing) -> list[float]:
    """Round heights beside an upright section, metres, about a centimetre of paper apart."""
    _, bottom, _, top = drawing.bounds
    step = next(
        step for step in (0.5, 1, 2, 5, 10, 20, 50, 100, 1000) if step >= 10 * drawing.millimetre
    )
    first, last = math.ceil(bottom / step), math.floor(top / step)
    return [number * step for number in range(first, last + 1)]


@lru_cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("analysis").joinpath("drawing.toml").read_text(encoding="utf-8"))
