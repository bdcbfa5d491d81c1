"""Rotations as quaternions, x, y, z, w."""

import numpy as np

from cim_core.mesh import Floats


def quaternions(rotations: Floats) -> Floats:
    """Unit quaternions x, y, z, w (k, 4) of rotations (k, 3, 3)."""
    m = rotations
    x2, y2, z2 = m[:, 0, 0], m[:, 1, 1], m[:, 2, 2]
    # Four times the products of the parts with each other; the largest row is the safest.
    table = np.array(
        [
            [1 + x2 - y2 - z2, m[:, 1, 0] + m[:, 0, 1], m[:, 0, 2] + m[:, 2, 0], m[:, 2, 1] - m[:, 1, 2]],
            [m[:, 1, 0] + m[:, 0, 1], 1 - x2 + y2 - z2, m[:, 2, 1] + m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0]],
            [m[:, 0, 2] + m[:, 2, 0], m[:, 2, 1] + m[:, 1, 2], 1 - x2 - y2 + z2, m[:, 1, 0] - m[:, 0, 1]],
            [m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1], 1 + x2 + y2 + z2],
        ]
    ).transpose(2, 0, 1)  # fmt: skip
    best = table[np.arange(len(m)), np.argmax(np.einsum("kii->ki", table), axis=1)]
    unit: Floats = best / np.linalg.norm(best, axis=1, keepdims=True)
    return unit


def matrices(quaternions: Floats) -> Floats:
    """Rotations (k, 3, 3) of unit quaternions x, y, z, w (k, 4)."""
    x, y, z, w = quaternions.T
    rotations: Floats = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    ).transpose(2, 0, 1)
    return rotations


def turned(rotations: Floats, point: Floats) -> Floats:
    """A point (3,) turned by quaternions (k, 4), (k, 3)."""
    axis, w = rotations[:, :3], rotations[:, 3:]
    twice = 2 * np.cross(axis, point)
    result: Floats = point + w * twice + np.cross(axis, twice)
    return result
