"""Bounding volumes of 3D Tiles: where they lie on the earth."""

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from cim_core.frame import Frame, ecef_to_geographic
from cim_core.mesh import Floats

LENGTHS = {"box": 12, "sphere": 4, "region": 6}
"""The kinds of volumes and how many numbers each has."""

_NEAR_EARTH = 5.0e6, 7.5e6
"""Metres from the earth's centre between which a volume's middle is taken to be meant so."""

Volume = Mapping[str, Any]


def moved(volume: Volume, matrix: Floats) -> dict[str, Any]:
    """A volume in other coordinates, by a (4, 4) matrix; regions are on the earth already."""
    if "box" in volume:
        box = np.array(volume["box"], np.float64)
        middle = matrix[:3, :3] @ box[:3] + matrix[:3, 3]
        axes = box[3:].reshape(3, 3) @ matrix[:3, :3].T
        return {"box": [*middle.tolist(), *axes.ravel().tolist()]}
    if "sphere" in volume:
        sphere = np.array(volume["sphere"], np.float64)
        middle = matrix[:3, :3] @ sphere[:3] + matrix[:3, 3]
        stretch = float(np.linalg.norm(matrix[:3, :3], axis=0).max())
        return {"sphere": [*middle.tolist(), float(sphere[3]) * stretch]}
    return dict(volume)


def matrix_of(tile: Mapping[str, Any]) -> Floats:
    """The (4, 4) matrix of a tile, which has its columns one after the other."""
    numbers: Sequence[float] = tile.get("transform") or np.eye(4).ravel().tolist()
    return np.array(numbers, np.float64).reshape(4, 4).T


def is_on_earth(volume: Volume) -> bool:
    """Whether a volume in EPSG:4978 is anywhere near the ground."""
    if "region" in volume:
        return True
    middle = volume["box"][:3] if "box" in volume else volume["sphere"][:3]
    return _NEAR_EARTH[0] < math.dist(middle, (0.0, 0.0, 0.0)) < _NEAR_EARTH[1]


def corners(volume: Volume) -> Floats:
    """The corners of a volume in EPSG:4978: (8, 3) longitude, latitude, ellipsoidal height.

    Those of a sphere are the corners of the box around it, upright where it lies.
    """
    signs = np.array(list(product((-1.0, 1.0), repeat=3)))
    if "region" in volume:
        west, south, east, north, low, high = volume["region"]
        half = np.array([east - west, north - south, high - low]) / 2
        middle = np.array([west + east, south + north, low + high]) / 2
        return (middle + signs * half) * [math.degrees(1), math.degrees(1), 1.0]
    if "box" in volume:
        box = np.array(volume["box"], np.float64)
        return ecef_to_geographic(box[:3] + signs @ box[3:].reshape(3, 3))
    lon, lat, height = ecef_to_geographic(np.array([volume["sphere"][:3]], np.float64))[0].tolist()
    return Frame(lon, lat, height).to_geographic(signs * float(volume["sphere"][3]))
