"""Rays against a tree of boxes, compiled by numba; the only module that knows it.

Triangles are met as Woop, Benthin and Wald have it ("Watertight Ray/Triangle Intersection", JCGT 2(1),
2013): the edge functions of two triangles at their common edge are the same numbers with opposite signs,
so that no ray slips between them. Zero counts as met.
"""

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats

F = TypeVar("F", bound=Callable[..., object])

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

_DEEPEST = 64


def _compiled(function: F) -> F:
    """Compiled when it is first called; the code is kept on disk where that can be written.

    It lets go of the interpreter, so that a server goes on answering.
    """
    try:
        return cast("F", numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:  # no folder for the code: each process compiles it anew
        return cast("F", numba.njit(nogil=True)(function))


@_compiled
def _into_box(
    lows: Floats, highs: Floats, node: int, origin: Floats, direction: Floats, far: float
) -> float:
    """How far along the ray a box begins, at least 0; -1 where the ray does not meet it before `far`."""
    near = 0.0
    for axis in range(3):
        d, o = direction[axis], origin[axis]
        if d == 0.0:
            if o < lows[node, axis] or o > highs[node, axis]:
                return -1.0
        else:
            a, b = (lows[node, axis] - o) / d, (highs[node, axis] - o) / d
            if a > b:
                a, b = b, a
            near, far = max(near, a), min(far, b)
            if near > far:
                return -1.0
    return near


@_compiled
def _along(corners: Floats, t: int, origin: Floats, direction: Floats, kz: int) -> float:
    """How far along the ray a triangle is met; -1 where it is not. `kz` is the ray's longest axis."""
    kx, ky = (kz + 1) % 3, (kz + 2) % 3
    sz = 1.0 / direction[kz]
    sx, sy = direction[kx] * sz, direction[ky] * sz
    az = corners[t, 0, kz] - origin[kz]
    bz = corners[t, 1, kz] - origin[kz]
    cz = corners[t, 2, kz] - origin[kz]
    ax = corners[t, 0, kx] - origin[kx] - sx * az
    ay = corners[t, 0, ky] - origin[ky] - sy * az
    bx = corners[t, 1, kx] - origin[kx] - sx * bz
    by = corners[t, 1, ky] - origin[ky] - sy * bz
    cx = corners[t, 2, kx] - origin[kx] - sx * cz
    cy = corners[t, 2, ky] - origin[ky] - sy * cz
    u, v, w = cx * by - cy * bx, ax * cy - ay * cx, bx * ay - by * ax
    if (u < 0.0 or v < 0.0 or w < 0.0) and (u > 0.0 or v > 0.0 or w > 0.0):
        return -1.0
    total = u + v + w
    if total == 0.0:
        return -1.0  # seen edge-on
    return float((u * az + v * bz + w * cz) * sz / total)


@_compiled
def _longest(direction: Floats) -> int:
    """The axis along which a ray goes farthest."""
    found = 0
    for axis in (1, 2):
        if abs(direction[axis]) > abs(direction[found]):
            found = axis
    return found


@_compiled
def _cast(
    lows: Floats, highs: Floats, starts: Ints, corners: Floats, origin: Floats, direction: Floats,
    far: float, stack: Ints, first: bool,
) -> tuple[float, int]:  # fmt: skip
    """The distance and the triangle that a ray meets: the first, or any where `first` is false.

    Distances are in lengths of `direction`; (far, -1) where nothing is met before `far`.
    """
    kz = _longest(direction)
    inner = len(starts) - 2  # so many nodes have children
    found = -1
    stack[0] = 0
    depth = 1 if _into_box(lows, highs, 0, origin, direction, far) >= 0.0 else 0
    while depth > 0:
        depth -= 1
        node = stack[depth]
        if node >= inner:
            for t in range(starts[node - inner], starts[node - inner + 1]):
                distance = _along(corners, t, origin, direction, kz)
                nearer = distance < far or (distance == far and t < found)
                if distance > 0.0 and nearer:
                    far, found = distance, t
                    if not first:
                        return far, found
            continue
        one, other = 2 * node + 1, 2 * node + 2
        a = _into_box(lows, highs, one, origin, direction, far)
        b = _into_box(lows, highs, other, origin, direction, far)
        if b >= 0.0 and (a < 0.0 or b <= a):
            one, other, a, b = other, one, b, a
        if b >= 0.0:
            stack[depth] = other
            depth += 1
        if a >= 0.0:
            stack[depth] = one
            depth += 1
    return far, found


@_compiled
def first_hits(
    lows: Floats, highs: Floats, starts: Ints, corners: Floats, origins: Floats, directions: Floats,
    fars: Floats, distances: Floats, triangles: Ints,
) -> None:  # fmt: skip
    """The first triangle that each ray meets before its `fars`; written to the last two arrays."""
    stack = np.empty(_DEEPEST, np.int64)
    for i in range(len(origins)):
        distances[i], triangles[i] = _cast(
            lows, highs, starts, corners, origins[i], directions[i], fars[i], stack, True
        )


@_compiled
def hits(
    lows: Floats, highs: Floats, starts: Ints, corners: Floats, origins: Floats, directions: Floats,
    fars: Floats, met: Bools,
) -> None:  # fmt: skip
    """Whether each ray meets anything before its `fars`; written to the last array.

    What the ray before met is tried first: rays that follow each other often meet the same.
    """
    stack = np.empty(_DEEPEST, np.int64)
    last = -1
    for i in range(len(origins)):
        if last >= 0:
            distance = _along(corners, last, origins[i], directions[i], _longest(directions[i]))
            if 0.0 < distance < fars[i]:
                met[i] = True
                continue
        _, found = _cast(
            lows, highs, starts, corners, origins[i], directions[i], fars[i], stack, False
        )
        met[i] = found >= 0
        if found >= 0:
            last = found


@_compiled
def hits_of_each(
    lows: Floats, highs: Floats, starts: Ints, corners: Floats, origins: Floats, directions: Floats,
    met: Bools,
) -> None:  # fmt: skip
    """Whether the rays from each origin in each direction meet anything; written to the last array.

    What the ray before met is tried first, as for `hits`.
    """
    stack = np.empty(_DEEPEST, np.int64)
    axes = np.empty(len(directions), np.int64)
    for j in range(len(directions)):
        axes[j] = _longest(directions[j])
    last = -1
    for i in range(len(origins)):
        for j in range(len(directions)):
            if last >= 0 and _along(corners, last, origins[i], directions[j], axes[j]) > 0.0:
                met[i, j] = True
                continue
            _, found = _cast(
                lows, highs, starts, corners, origins[i], directions[j], np.inf, stack, False
            )
            met[i, j] = found >= 0
            if found >= 0:
                last = found
