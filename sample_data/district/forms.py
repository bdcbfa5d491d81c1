"""The plan forms of buildings: corners (n, 2) in metres around the origin, the front looking south."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sample_data.district.outlines import rectangle
from sample_data.district.plan import Floats


def slab(units: int, width: float, depth: float) -> Floats:
    """A row of flats: a recess between units at the front, a stair standing out at the back."""
    left = -units * width / 2
    front: list[tuple[float, float]] = []
    back: list[tuple[float, float]] = []
    low, high = -depth / 2, depth / 2 - 1.4
    for i in range(units):
        x0, x1 = left + i * width, left + (i + 1) * width
        middle = (x0 + x1) / 2
        inner = [(x0, low)] if i == 0 else [(x0 + 1.1, low + 1.6), (x0 + 1.1, low)]
        outer = [(x1, low)] if i == units - 1 else [(x1 - 1.1, low), (x1 - 1.1, low + 1.6)]
        front += [*inner, *outer]
        back += [
            (middle - 1.7, high),
            (middle - 1.7, depth / 2),
            (middle + 1.7, depth / 2),
            (middle + 1.7, high),
        ]
    return np.array([*front, (-left, high), *reversed(back), (left, high)])


def butterfly(width: float, depth: float) -> Floats:
    """A residential tower with four wings around its core."""
    w, d = width / 2, depth / 2
    quarter = [
        (w * 0.26, -d * 0.62),
        (w * 0.26, -d),
        (w * 0.62, -d),
        (w * 0.7, -d * 0.8),
        (w, -d * 0.8),
        (w, -d * 0.22),
        (w * 0.78, -d * 0.22),
    ]
    half = [*quarter, *[(x, -y) for x, y in reversed(quarter)]]
    return np.array([*half, *[(-x, y) for x, y in reversed(half)]])


def chamfered(width: float, depth: float, cut: float) -> Floats:
    """A rectangle without its corners."""
    w, d = width / 2, depth / 2
    return np.array(
        [
            (w - cut, -d),
            (w, -d + cut),
            (w, d - cut),
            (w - cut, d),
            (cut - w, d),
            (-w, d - cut),
            (-w, cut - d),
            (cut - w, -d),
        ]
    )


def ellipse(width: float, depth: float, corners: int = 32) -> Floats:
    """An ellipse."""
    t = np.linspace(0.0, 2 * np.pi, corners, endpoint=False)
    return np.column_stack([np.cos(t) * width / 2, np.sin(t) * depth / 2])


def rounded(width: float, depth: float, power: float = 4.0, corners: int = 36) -> Floats:
    """A superellipse: a rectangle with soft corners."""
    t = np.linspace(0.0, 2 * np.pi, corners, endpoint=False)
    c, s = np.cos(t), np.sin(t)
    x = np.sign(c) * np.abs(c) ** (2 / power) * width / 2
    return np.column_stack([x, np.sign(s) * np.abs(s) ** (2 / power) * depth / 2])


def triangle(size: float) -> Floats:
    """A triangle with soft sides and corners."""
    t = np.linspace(0.0, 2 * np.pi, 36, endpoint=False)
    r = size / 2 * (0.86 + 0.14 * np.cos(3 * t))
    return np.column_stack([r * np.cos(t + np.pi / 2), r * np.sin(t + np.pi / 2)])


def comb(width: float, depth: float, bar: float, teeth: int) -> Floats:
    """Bars side by side on a spine: two teeth make a U, three an E."""
    w, d = width / 2, depth / 2
    points: list[tuple[float, float]] = [(w, d), (-w, d)]
    pitch = (width - bar) / max(1, teeth - 1)
    for i in range(teeth):
        x = -w + i * pitch
        points += [(x, -d), (x + bar, -d)]
        if i < teeth - 1:
            points += [(x + bar, d - bar), (x + pitch, d - bar)]
    return np.array(points)


def angle(width: float, depth: float, bar: float) -> Floats:
    """An L."""
    w, d = width / 2, depth / 2
    return np.array([(-w, -d), (w, -d), (w, bar - d), (bar - w, bar - d), (bar - w, d), (-w, d)])


def letter_h(width: float, depth: float, bar: float) -> Floats:
    """An H: two bars and a link."""
    w, d, b = width / 2, depth / 2, bar / 2
    return np.array(
        [
            (-w, -d),
            (bar - w, -d),
            (bar - w, -b),
            (w - bar, -b),
            (w - bar, -d),
            (w, -d),
            (w, d),
            (w - bar, d),
            (w - bar, b),
            (bar - w, b),
            (bar - w, d),
            (-w, d),
        ]
    )


def villa(width: float, depth: float, kind: int) -> Floats:
    """A house with a wing: L, T or a plain one with a porch."""
    if kind == 0:
        return angle(width, depth, min(width, depth) * 0.6)
    w, d = width / 2, depth / 2
    if kind == 1:
        return np.array(
            [
                (-w, -d * 0.5),
                (-w * 0.3, -d * 0.5),
                (-w * 0.3, -d),
                (w * 0.45, -d),
                (w * 0.45, -d * 0.5),
                (w, -d * 0.5),
                (w, d),
                (-w, d),
            ]
        )
    return np.array([(-w, -d), (w * 0.4, -d), (w * 0.4, -d * 0.6), (w, -d * 0.6), (w, d), (-w, d)])


def stadium(straight: float, radius: float) -> Floats:
    """A running track: two straights and two bends, the long side along y."""
    t = np.linspace(0.0, np.pi, 24)
    top = np.column_stack([np.cos(t), np.sin(t)]) * radius + (0.0, straight / 2)
    return np.vstack([top, -top])


def bar(width: float, depth: float) -> Floats:
    """A plain rectangle."""
    return rectangle(width, depth)


TOWERS: Sequence[str] = ("rounded", "chamfered", "ellipse", "triangle", "square")


def tower(kind: str, size: float) -> Floats:
    """An office tower of one of `TOWERS`."""
    match kind:
        case "rounded":
            return rounded(size, size * 0.86)
        case "chamfered":
            return chamfered(size, size * 0.92, size * 0.22)
        case "ellipse":
            return ellipse(size * 1.15, size * 0.8)
        case "triangle":
            return triangle(size * 1.15)
        case _:
            return rectangle(size, size * 0.9)
