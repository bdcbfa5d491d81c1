"""The curves of OpenDRIVE: where a road's reference line is and which way it goes.

Source: ASAM OpenDRIVE 1.6, chapter 7 "Geometry". Lengths are metres, angles radians.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cim_core.mesh import Floats

Kind = Literal["line", "arc", "spiral", "poly3", "paramPoly3"]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(5)
_FINE = 0.5
"""Steps in which the length of a polynomial is measured, metres."""


@dataclass(frozen=True, slots=True)
class Cubic:
    """a + b·d + c·d² + d·d³ from `start` on."""

    start: float
    a: float
    b: float
    c: float
    d: float

    def at(self, along: Floats) -> Floats:
        """Its values at `along` (n,), counted as `start` is."""
        by = along - self.start
        found: Floats = self.a + by * (self.b + by * (self.c + by * self.d))
        return found


def value_of(parts: Sequence[Cubic], along: Floats) -> Floats:
    """What pieces that follow each other say at `along` (n,); 0 before the first."""
    found = np.zeros(len(along))
    for part in parts:
        valid = along >= part.start - 1e-9
        found[valid] = part.at(along[valid])
    return found


@dataclass(frozen=True, slots=True)
class Geometry:
    """A piece of a reference line that begins at `s`, `x`, `y` with heading `hdg`.

    told
        The curvature of an arc; those at both ends of a spiral; a, b, c, d of a poly3; aU to dU and
        aV to dV of a paramPoly3, `normalized` where they are of a parameter from 0 to 1.
    """

    kind: Kind
    s: float
    x: float
    y: float
    hdg: float
    length: float
    told: tuple[float, ...] = ()
    normalized: bool = False

    def at(self, along: Floats) -> Floats:
        """(n, 3) of x, y and heading at `along` (n,) metres from its own beginning, ascending."""
        u, v, turned = _LOCAL[self.kind](self, along)
        cosine, sine = np.cos(self.hdg), np.sin(self.hdg)
        return np.column_stack(
            [self.x + cosine * u - sine * v, self.y + sine * u + cosine * v, self.hdg + turned]
        )


Local = tuple[Floats, Floats, Floats]


def _line(one: Geometry, along: Floats) -> Local:
    return along, np.zeros(len(along)), np.zeros(len(along))


def _arc(one: Geometry, along: Floats) -> Local:
    curvature = one.told[0]
    if abs(curvature) < 1e-12:
        return _line(one, along)
    turned = along * curvature
    return np.sin(turned) / curvature, (1 - np.cos(turned)) / curvature, turned


def _spiral(one: Geometry, along: Floats) -> Local:
    """A clothoid: its heading is integrated, five places of Gauss and Legendre in each step."""
    first, last = one.told
    change = (last - first) / max(one.length, 1e-9)

    def turned(d: Floats) -> Floats:
        found: Floats = d * (first + change / 2 * d)
        return found

    fine = np.unique(np.concatenate([[0.0], np.arange(0.0, along[-1], 1.0), along]))
    middle, half = (fine[1:] + fine[:-1]) / 2, np.diff(fine) / 2
    inner = turned(middle[:, None] + half[:, None] * _NODES[None, :])
    u = np.concatenate([[0.0], np.cumsum((np.cos(inner) @ _WEIGHTS) * half)])
    v = np.concatenate([[0.0], np.cumsum((np.sin(inner) @ _WEIGHTS) * half)])
    return np.interp(along, fine, u), np.interp(along, fine, v), turned(along)


def _poly3(one: Geometry, along: Floats) -> Local:
    """A cubic v of u, which is found by the length of the curve."""
    a, b, c, d = one.told
    steps = max(2, int(one.length / _FINE) + 1)
    u = np.linspace(0.0, one.length, steps)
    v = a + u * (b + u * (c + u * d))
    far = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(u), np.diff(v)))])
    at = np.interp(along, far, u)
    return at, a + at * (b + at * (c + at * d)), np.arctan(b + at * (2 * c + at * 3 * d))


def _param_poly3(one: Geometry, along: Floats) -> Local:
    first, second = np.array(one.told[:4]), np.array(one.told[4:])
    p = along / one.length if one.normalized and one.length else along
    powers = np.stack([np.ones(len(p)), p, p**2, p**3])
    slopes = np.stack([np.zeros(len(p)), np.ones(len(p)), 2 * p, 3 * p**2])
    return first @ powers, second @ powers, np.arctan2(second @ slopes, first @ slopes)


_LOCAL: dict[Kind, Callable[[Geometry, Floats], Local]] = {
    "line": _line, "arc": _arc, "spiral": _spiral, "poly3": _poly3, "paramPoly3": _param_poly3,
}  # fmt: skip


def reference_line(parts: Sequence[Geometry], along: Floats) -> Floats:
    """(n, 3) of x, y and heading at `along` (n,) metres of the road, ascending."""
    begins = np.array([part.s for part in parts])
    owner = np.clip(np.searchsorted(begins, along + 1e-9, side="right") - 1, 0, len(parts) - 1)
    found = np.zeros((len(along), 3))
    for number, part in enumerate(parts):
        mine = owner == number
        if mine.any():
            found[mine] = part.at(np.clip(along[mine] - part.s, 0.0, None))
    return found


def samples(parts: Sequence[Geometry], start: float, end: float, also: Sequence[float]) -> Floats:
    """Where a road is looked at between two of its metres: at every metre where it is bent."""
    wanted = [start, end, *(one for one in also if start < one < end)]
    for part in parts:
        low, high = max(start, part.s), min(end, part.s + part.length)
        if low < high:
            wanted += [low, high]
            if part.kind != "line":
                wanted += np.arange(low, high, 1.0).tolist()
    found = np.unique(np.round(np.array(wanted), 9))
    return found if len(found) > 1 else np.array([start, end])
