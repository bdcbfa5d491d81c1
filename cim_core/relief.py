"""The relief of a grid of heights: how steep it is, and how a low sun would light it."""

import numpy as np

from cim_core.mesh import Floats


def gradients(heights: Floats, cell: float) -> tuple[Floats, Floats]:
    """Rise to the east and to the north of the inner pixels of a grid, without unit.

    heights
        (r, c) metres, the first row in the north; NaN where unknown, as are then all around it.
    cell
        The side of a pixel, metres.

    Returns two (r - 2, c - 2). Horn 1981, "Hill Shading and the Reflectance Map".
    """
    a, b, c = heights[:-2, :-2], heights[:-2, 1:-1], heights[:-2, 2:]
    d, f = heights[1:-1, :-2], heights[1:-1, 2:]
    g, h, i = heights[2:, :-2], heights[2:, 1:-1], heights[2:, 2:]
    east = ((c + 2 * f + i) - (a + 2 * d + g)) / (8 * cell)
    north = ((a + 2 * b + c) - (g + 2 * h + i)) / (8 * cell)
    return east, north


def slope(heights: Floats, cell: float) -> Floats:
    """How steep the inner pixels of a grid are, degrees; arguments as of `gradients`.

    >>> slope(np.arange(3.0) * np.ones((3, 1)), 1.0).round(6).tolist()
    [[45.0]]
    """
    result: Floats = np.degrees(np.arctan(np.hypot(*gradients(heights, cell))))
    return result


def hillshade(
    heights: Floats, cell: float, azimuth: float = 315.0, altitude: float = 45.0
) -> Floats:
    """How bright the inner pixels of a grid are, 0 to 1; arguments as of `gradients`.

    `azimuth` is where the light comes from, degrees clockwise from north, `altitude` how high it
    stands, degrees.

    >>> hillshade(np.zeros((3, 3)), 1.0).round(4).tolist()
    [[0.7071]]
    """
    east, north = gradients(heights, cell)
    around, up = np.radians(azimuth), np.radians(altitude)
    lit = np.sin(up) - np.cos(up) * (np.sin(around) * east + np.cos(around) * north)
    result: Floats = np.maximum(lit, 0.0) / np.sqrt(1 + east**2 + north**2)
    return result
