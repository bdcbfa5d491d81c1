"""What a chart is made of: lines, ellipses and words on paper, and the scales they are laid out at.

All is in millimetres of paper, y upwards from the lower left corner, whatever file it goes to.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.drawing import INK
from cim_core.mesh import Floats

FINE, THIN, THICK = 0.13, 0.18, 0.35
"""Widths of lines, millimetres of paper (a quarter, a third and 0.7 of 0.5)."""

PIPES = "pipes"
"""The group of marks that are the pipes themselves."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The feature that a part of a chart shows: the id of its layer, its own id, its class."""

    layer: str
    id: str
    feature_class: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points, (n, 2); `closed` joins its last to its first, `fill` colours its inside."""

    points: Floats
    group: str
    width: float = THIN
    color: str = INK
    closed: bool = False
    fill: str | None = None
    dashed: bool = False
    owner: Owner | None = None


@dataclass(frozen=True, slots=True)
class Ellipse:
    """A pipe as it is cut: its middle and half of its width and height."""

    middle: tuple[float, float]
    radii: tuple[float, float]
    group: str
    width: float = THIN
    color: str = INK
    fill: str | None = None
    owner: Owner | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """A text on one line, its middle height at `place`; `turned` reads upwards.

    size
        The height of its type, millimetres.
    """

    text: str
    place: tuple[float, float]
    group: str
    size: float = 2.5
    anchor: Literal["start", "middle", "end"] = "middle"
    turned: bool = False
    color: str = INK
    bold: bool = False
    owner: Owner | None = None


Mark = Line | Ellipse | Words


@dataclass(frozen=True, slots=True)
class Scales:
    """How metres are laid on paper: across and up at scales of their own.

    across, up
        The denominators.
    left, bottom
        Where on the paper the distance 0 and the elevation `base` lie.
    """

    across: int
    up: int
    left: float
    bottom: float
    base: float

    def x(self, metres: float) -> float:
        """Where a distance lies on paper."""
        return self.left + 1000 * metres / self.across

    def y(self, elevation: float) -> float:
        """Where an elevation lies on paper."""
        return self.bottom + 1000 * (elevation - self.base) / self.up

    def points(self, distances: Floats, elevations: Floats) -> Floats:
        """Where (n,) distances and elevations lie on paper, (n, 2)."""
        return np.column_stack(
            [
                self.left + 1000 * np.asarray(distances) / self.across,
                self.bottom + 1000 * (np.asarray(elevations) - self.base) / self.up,
            ]
        )

    @property
    def exaggeration(self) -> float:
        """How much higher than wide a metre is drawn."""
        return self.across / self.up


def text_width(text: str, size: float) -> float:
    """About how wide a text is, millimetres: Chinese letters are as wide as high, others narrower.

    >>> text_width("管径 DN", 2.5) > text_width("DN DN", 2.5)
    True
    """
    return size * sum(1.0 if ord(letter) > 0x2E7F else 0.58 for letter in text)
