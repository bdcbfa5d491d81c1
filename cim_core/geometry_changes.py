"""Which features moved, which have another shape, and which only another surface."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from cim_core.feature import Instance, Property
from cim_core.frame import Frame
from cim_core.mesh import Floats, Material, Mesh
from cim_core.property_changes import PropertyChange
from cim_core.rigid_motion import Surface, motion_between

TOLERANCE = 0.001
"""Metres; what no point of a feature exceeds has not moved, nor changed its shape."""

_STRETCH = 0.01
"""A map projection stretches by less; more is another shape, not another place."""

_CORNERS = np.array([[[x, y, z] for x in (0, 1)] for y in (0, 1) for z in (0, 1)]).reshape(8, 3)


@dataclass(frozen=True, slots=True)
class PlacedMeshes:
    """The geometry of one version of a layer: instances by feature id, meshes by key."""

    frame: Frame
    instances: Mapping[str, tuple[Instance, ...]]
    meshes: Mapping[str, Mesh]


@dataclass(frozen=True, slots=True)
class Motion:
    """How a feature moved.

    displacement
        Of its middle: metres east, north and up in the frame of the version compared with.
    rotation
        By how many degrees it turned, 0–180.
    """

    displacement: tuple[float, float, float]
    rotation: float


@dataclass(frozen=True, slots=True)
class GeometryChanges:
    """By feature id: motions, new shapes, and new surfaces of shapes."""

    motions: Mapping[str, Motion]
    reshaped: frozenset[str]
    surfaces: Mapping[str, PropertyChange]


@dataclass(frozen=True, slots=True)
class _Pair:
    """A piece of a feature before and after: (4, 4) matrices of what fills `box` (2, 3)."""

    feature: str
    box: Floats
    before: Floats
    after: Floats


def geometry_changes(
    before: PlacedMeshes, after: PlacedMeshes, common: Iterable[str]
) -> GeometryChanges:
    """Compare the features `common` to both versions; each is moved or reshaped, never both.

    Equal mesh keys are equal shapes. Where keys differ the shapes decide, so that noise of a kernel
    or an exporter is no change.
    """
    boxes = {key: mesh.bounds() for key, mesh in before.meshes.items()}
    into = np.linalg.inv(before.frame.ecef_matrix()) @ after.frame.ecef_matrix()
    if before.frame == after.frame:
        into = np.eye(4)
    pairs: list[_Pair] = []
    reshaped: set[str] = set()
    surfaces: dict[str, PropertyChange] = {}
    for feature in common:
        old, new = before.instances.get(feature, ()), after.instances.get(feature, ())
        if not old and not new:
            continue
        if _keys(old) == _keys(new):
            pairs += (
                _Pair(feature, boxes[a.mesh_key], a.transform, into @ b.transform)
                for a, b in zip(_ordered(old), _ordered(new), strict=True)
            )
            continue
        surface = _surface_change(
            [before.meshes[item.mesh_key].material for item in old],
            [after.meshes[item.mesh_key].material for item in new],
        )
        if old and new and surface is not None:
            surfaces[feature] = surface
        pair = _by_shape(feature, old, new, before.meshes, after.meshes, into)
        if pair is None:
            reshaped.add(feature)
        else:
            pairs.append(pair)
    motions, stretched = _motions(pairs)
    return GeometryChanges(
        {feature: motion for feature, motion in motions.items() if feature not in stretched},
        frozenset(reshaped | stretched),
        surfaces,
    )


def _keys(instances: tuple[Instance, ...]) -> list[str]:
    return sorted(item.mesh_key for item in instances)


def _ordered(instances: tuple[Instance, ...]) -> list[Instance]:
    """By mesh, and those of one mesh from west to east: a shift of all keeps that order."""
    return sorted(instances, key=lambda item: (item.mesh_key, *item.transform[:3, 3]))


def _by_shape(
    feature: str,
    old: tuple[Instance, ...],
    new: tuple[Instance, ...],
    old_meshes: Mapping[str, Mesh],
    new_meshes: Mapping[str, Mesh],
    into: Floats,
) -> _Pair | None:
    """The motion between two shapes of different meshes, None when it is another shape."""
    if not old or not new:
        return None
    was = Surface.of([(old_meshes[item.mesh_key], item.transform) for item in old])
    now = Surface.of([(new_meshes[item.mesh_key], into @ item.transform) for item in new])
    guess = into @ new[0].transform @ np.linalg.pinv(old[0].transform)
    motion = motion_between(was, now, guess, TOLERANCE)
    return None if motion is None else _Pair(feature, was.bounds(), np.eye(4), motion)


def _motions(pairs: list[_Pair]) -> tuple[dict[str, Motion], set[str]]:
    """The motion of every feature that moved (that of its piece that moved most), and what was stretched."""
    if not pairs:
        return {}, set()
    before = np.array([pair.before for pair in pairs])
    after = np.array([pair.after for pair in pairs])
    low, high = np.swapaxes(np.array([pair.box for pair in pairs]), 0, 1)
    corners = low[:, None, :] + _CORNERS * (high - low)[:, None, :]
    was, now = _placed(corners, before), _placed(corners, after)
    apart = np.linalg.norm(now - was, axis=2).max(axis=1)
    rows = np.flatnonzero(apart > TOLERANCE)
    rows = rows[np.argsort(apart[rows], kind="stable")]
    linear = after[rows, :3, :3] @ np.linalg.pinv(before[rows, :3, :3])
    left, stretches, right = np.linalg.svd(linear)
    turned = left @ right
    torn = (np.abs(stretches - 1).max(axis=1) > _STRETCH) | (np.linalg.det(turned) < 0)
    # |R − 1| is 2√2 times the sine of half the angle; unlike the trace it is exact for small angles.
    sines = np.linalg.norm(turned - np.eye(3), axis=(1, 2)) / (2 * np.sqrt(2))
    angles = np.degrees(2 * np.arcsin(np.minimum(1.0, sines)))
    shifts = (now - was)[rows].mean(axis=1)
    motions: dict[str, Motion] = {}
    for row, shift, angle in zip(rows, shifts, angles, strict=True):
        east, north, up = (float(value) for value in shift)
        motions[pairs[row].feature] = Motion((east, north, up), float(angle))
    return motions, {pairs[row].feature for row in rows[torn]}


def _placed(points: Floats, matrices: Floats) -> Floats:
    """(n, 8, 3) points, each eight by one of (n, 4, 4) matrices."""
    linear = np.swapaxes(matrices[:, :3, :3], 1, 2)
    return np.asarray(points @ linear + matrices[:, None, :3, 3], np.float64)


def _surface_change(old: list[Material], new: list[Material]) -> PropertyChange | None:
    before, after = sorted(set(map(_color, old))), sorted(set(map(_color, new)))
    if before == after:
        return None
    return PropertyChange(
        None, "surface", Property("surface", list(before)), Property("surface", list(after))
    )


def _color(material: Material) -> str:
    """The colour of a material as a screen shows it: "#c9c2b6", translucent "#c9c2b680".

    Its name is left out: kernels invent one where a model names none.
    """
    red, green, blue = (
        12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055 for c in material.color[:3]
    )
    opacity = material.color[3]
    color = "#" + "".join(f"{round(255 * c):02x}" for c in (red, green, blue))
    return color + (f"{round(255 * opacity):02x}" if opacity < 1 else "")
