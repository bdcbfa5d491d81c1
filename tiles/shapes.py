"""What is drawn of a layer: shapes, and where each of them is placed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cim_core.feature import Feature
from cim_core.mesh import Floats, Indices, Mesh, solid_triangles
from tiles import meshopt
from tiles.shading import Soup, shade


@dataclass(frozen=True, slots=True)
class Shape:
    """One or several meshes that are always placed together, ready to draw.

    positions, normals
        (n, 3) float64, metres in the shape's own coordinates; unit vectors.
    colors
        (n, 4) float64, linear; the last is opacity.
    triangles
        (m, 3) uint32; the opaque ones come first.
    opaque
        How many triangles are opaque.
    """

    positions: Floats
    normals: Floats
    colors: Floats
    triangles: Indices
    opaque: int

    @property
    def bounds(self) -> Floats:
        """(2, 3): lower and upper corner."""
        return np.array([self.positions.min(axis=0), self.positions.max(axis=0)])


@dataclass(frozen=True, slots=True)
class Placements:
    """Where shapes stand, p of them.

    features, shapes
        (p,) the row of the feature and the number of the shape.
    transforms
        (p, 4, 4) float64, from the shape's coordinates to the layer's frame.
    bounds
        (p, 2, 3) boxes in the frame that hold them.
    """

    features: NDArray[np.int64]
    shapes: NDArray[np.int64]
    transforms: Floats
    bounds: Floats

    def __getitem__(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Placements":
        return Placements(
            self.features[rows],
            self.shapes[rows],
            self.transforms[rows],
            self.bounds[rows],
        )

    def __len__(self) -> int:
        return len(self.features)


class Drawing:
    """A layer as it is drawn: its features with geometry, in the order of their ids.

    features
        Those that have something to draw.
    keys
        Per shape, the keys of its meshes: what it is, whatever it is called here.
    triangles, bounds, repeats
        Per shape: how many triangles it has, its box (2, 3), how often it is placed.
    placements
        Every placement of every shape, by feature.
    """

    def __init__(self, features: Sequence[Feature], meshes: Mapping[str, Mesh]) -> None:
        self._meshes = meshes
        self._solid = solid_triangles(meshes)
        self._shaded: dict[int, Shape] = {}
        drawn = [(feature, self._groups(feature)) for feature in features]
        drawn = sorted((item for item in drawn if item[1]), key=lambda item: item[0].id)
        self.features = [feature for feature, _ in drawn]
        number: dict[tuple[str, ...], int] = {}
        placed = [
            (row, number.setdefault(keys, len(number)), matrix)
            for row, (_, groups) in enumerate(drawn)
            for keys, matrix in groups
        ]
        self.keys = list(number)
        self.triangles = np.array(
            [sum(int(self._solid[key].sum()) for key in keys) for keys in self.keys],
            np.int64,
        )
        boxes = {key: mesh.bounds() for key, mesh in meshes.items()}
        self.bounds = np.array(
            [
                [np.min([boxes[k][0] for k in keys], axis=0), np.max([boxes[k][1] for k in keys], axis=0)]
                for keys in self.keys
            ]
        ).reshape(-1, 2, 3)  # fmt: skip
        shapes = np.array([shape for _, shape, _ in placed], np.int64)
        transforms = np.array([matrix for _, _, matrix in placed]).reshape(-1, 4, 4)
        self.placements = Placements(
            np.array([row for row, _, _ in placed], np.int64),
            shapes,
            transforms,
            placed_boxes(self.bounds[shapes], transforms),
        )
        self.repeats = np.bincount(shapes, minlength=len(self.keys))

    def _groups(self, feature: Feature) -> list[tuple[tuple[str, ...], Floats]]:
        """The meshes of a feature, those that stand alike together."""
        groups: dict[bytes, tuple[list[str], Floats]] = {}
        for instance in feature.instances:
            if self._solid[instance.mesh_key].any():
                keys, _ = groups.setdefault(instance.transform.tobytes(), ([], instance.transform))
                keys.append(instance.mesh_key)
        return [(tuple(sorted(keys)), matrix) for keys, matrix in groups.values()]

    def shape(self, number: int) -> Shape:
        """A shape that `prepare` has made ready."""
        return self._shaded[number]

    def soup(self, numbers: Sequence[int]) -> Soup:
        """The triangles of shapes as their source has them, end to end."""
        parts = [
            (owner, self._meshes[key], self._solid[key])
            for owner, number in enumerate(numbers)
            for key in self.keys[number]
        ]
        counts = [len(mesh.positions) for _, mesh, _ in parts]
        starts = np.cumsum([0, *counts])
        triangles = [
            mesh.triangles[solid] + np.uint32(start)
            for (_, mesh, solid), start in zip(parts, starts[:-1], strict=True)
        ]
        colors = np.array([mesh.material.color for _, mesh, _ in parts])
        return Soup(
            np.vstack([mesh.positions for _, mesh, _ in parts]),
            np.vstack(triangles),
            np.repeat(colors, [len(part) for part in triangles], axis=0),
            np.repeat([owner for owner, _, _ in parts], counts),
        )

    def prepare(self, numbers: Iterable[int]) -> None:
        """Make shapes ready to draw: all at once, which is far faster than one by one."""
        wanted = sorted({int(number) for number in numbers} - self._shaded.keys())
        if not wanted:
            return
        shaded = shade(self.soup(wanted))
        ends = np.searchsorted(shaded.owners, np.arange(len(wanted) + 1))
        owner = shaded.owners[shaded.triangles[:, 0]]
        cuts = np.searchsorted(owner, np.arange(len(wanted) + 1))
        for i, number in enumerate(wanted):
            rows = slice(ends[i], ends[i + 1])
            self._shaded[number] = in_order(
                shaded.positions[rows], shaded.normals[rows], shaded.colors[rows],
                shaded.triangles[cuts[i] : cuts[i + 1]] - np.uint32(ends[i]),
            )  # fmt: skip


def in_order(positions: Floats, normals: Floats, colors: Floats, triangles: Indices) -> Shape:
    """A shape with its opaque triangles first, and without vertices that no triangle uses."""
    clear = colors[triangles[:, 0], 3] < 1.0
    opaque = len(triangles) - int(clear.sum())
    if 0 < opaque < len(triangles):
        triangles = np.vstack([triangles[~clear], triangles[clear]])
    if meshopt.AVAILABLE:
        triangles, old = meshopt.ordered(triangles, len(positions), opaque)
    else:
        old, flat = np.unique(triangles, return_inverse=True)
        triangles = flat.reshape(-1, 3).astype(np.uint32)
    return Shape(positions[old], normals[old], colors[old], triangles, opaque)


def placed_boxes(bounds: Floats, transforms: Floats) -> Floats:
    """The boxes (p, 2, 3) in the frame that hold boxes (p, 2, 3) placed by (p, 4, 4)."""
    middle, half = bounds.mean(axis=1), (bounds[:, 1] - bounds[:, 0]) / 2
    linear = transforms[:, :3, :3]
    center = np.einsum("pij,pj->pi", linear, middle) + transforms[:, :3, 3]
    reach = np.einsum("pij,pj->pi", np.abs(linear), half)
    return np.stack([center - reach, center + reach], axis=1)
