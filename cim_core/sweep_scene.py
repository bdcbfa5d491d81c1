"""A pipe network as it is drawn: each feature with its tubes, its models and their colours."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cim_core.feature import Feature, Instance
from cim_core.frame import Frame
from cim_core.layer import ClassStyle, Features, PipeNetwork
from cim_core.mesh import Floats, Material, Mesh
from cim_core.network import Network, NodeKind, Rows
from cim_core.sweep import Swept, Tubes, joined_tubes, sweep
from cim_core.sweep_models import model
from cim_core.sweep_network import Drawn, drawing, drawn_segments, elevations_of
from cim_core.sweep_nodes import DrawnNodes, Parts, drawn_nodes

_PLAIN = "#66707c"
_OWN = np.array([NodeKind.HYDRANT, NodeKind.SOURCE, NodeKind.DEVICE])
"""Nodes in the colour of their own class; others have that of the pipe they sit on."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is drawn of a network.

    features
        Those that are, in the order of their ids.
    tubes, parts
        Their owners are numbers of `features`.
    tube_colors, part_colors
        (t, 3) and (p, 3) linear red, green, blue.
    assumed
        (f,) what of a feature was not surveyed: "no", "height", "size" or "height and size".
    """

    features: tuple[Feature, ...]
    tubes: Tubes
    parts: Parts
    tube_colors: Floats
    part_colors: Floats
    assumed: NDArray[np.str_]


def network_scene(content: PipeNetwork, frame: Frame, styles: Mapping[str, ClassStyle]) -> Scene:
    """The features of a network that can be drawn; metres in the frame.

    Only `content.features` are looked at, all of the network decides what stands at its nodes.
    """
    network = content.network
    drawn = drawn_segments(network, frame, content.geoid_separation)
    nodes = drawn_nodes(network, drawn, frame, content.geoid_separation)
    known = {feature.id: feature for feature in content.features}
    colors = _Colors(styles)
    segment_colors = colors.of(network.segments.ids, known)
    node_colors = colors.of(network.nodes.ids, known)
    shared = np.where(
        (nodes.segments >= 0)[:, None] & ~np.isin(network.nodes.kinds, _OWN)[:, None],
        segment_colors[nodes.segments] if len(segment_colors) else node_colors,
        node_colors,
    )
    chosen, numbers = _numbered(network, drawn, nodes, known)
    of_segment, of_node = numbers
    tubes = joined_tubes(
        [
            replace(drawn.tubes, owners=of_segment[drawn.tubes.owners]),
            replace(nodes.tubes, owners=of_node[nodes.tubes.owners]),
        ]
    )
    wells = network.nodes.kinds[nodes.tubes.owners] == NodeKind.WELL
    of_shafts = np.where(
        wells[:, None], node_colors[nodes.tubes.owners],
        segment_colors[nodes.segments[nodes.tubes.owners]] if len(segment_colors) else 0.0,
    )  # fmt: skip
    tube_colors = np.concatenate([segment_colors[drawn.tubes.owners], of_shafts])
    parts = replace(nodes.parts, owners=of_node[nodes.parts.owners])
    part_colors = shared[nodes.parts.owners]
    assumed = np.full(len(chosen), "no", "U15")
    for which, flags in ((of_segment, drawn.height_assumed), (of_node, nodes.assumed)):
        rows = which[flags]
        assumed[rows[rows >= 0]] = "height"
    rows = of_segment[drawn.size_assumed]
    rows = rows[rows >= 0]
    assumed[rows] = np.where(assumed[rows] == "height", "height and size", "size")
    return Scene(
        chosen, tubes[tubes.owners >= 0], parts[parts.owners >= 0],
        tube_colors[tubes.owners >= 0], part_colors[parts.owners >= 0], assumed,
    )  # fmt: skip


def swept_features(
    content: PipeNetwork, frame: Frame, styles: Mapping[str, ClassStyle]
) -> Features:
    """The features of a network with meshes, for those who write files or cut bodies.

    Features that cannot be drawn are not among them. A tube's mesh is the same whatever else is swept
    with it, so that versions can be compared.
    """
    scene = network_scene(content, frame, styles)
    instances: list[list[Instance]] = [[] for _ in scene.features]
    meshes: dict[str, Mesh] = {}
    for row, mesh, origin in _bodies(scene):
        key = mesh.key()
        meshes[key] = mesh
        instances[scene.tubes.owners[row]].append(Instance(key, _placed(origin, np.eye(3))))
    parts = scene.parts
    for row, (owner, color) in enumerate(zip(parts.owners.tolist(), scene.part_colors.tolist(), strict=True)):  # fmt: skip
        which = (str(parts.names[row]), float(parts.sizes[row]), float(parts.ratios[row]))
        key = f"{which} {color}"
        if key not in meshes:
            meshes[key] = _mesh(model(*which), color)
        instances[owner].append(Instance(key, _placed(parts.places[row], parts.turns[row])))
    features = tuple(
        replace(feature, instances=tuple(placed))
        for feature, placed in zip(scene.features, instances, strict=True)
    )
    return Features(features, meshes)


def _bodies(scene: Scene) -> Iterator[tuple[int, Mesh, Floats]]:
    """The mesh of each tube, its number and where its origin stands."""
    tubes = scene.tubes
    origins = np.round(tubes.points[tubes.starts[:-1]], 3)
    around = replace(
        tubes, points=tubes.points - origins[tubes.of], owners=np.arange(len(tubes))
    )  # fmt: skip
    swept = sweep(around, sharp=False)
    order = np.argsort(swept.owners, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    first = np.searchsorted(swept.owners[order], np.arange(len(tubes) + 1))
    positions = swept.positions[order]
    owner = swept.owners[swept.triangles[:, 0]]
    of = np.argsort(owner, kind="stable")
    triangles = place[swept.triangles[of]]
    cuts = np.searchsorted(owner[of], np.arange(len(tubes) + 1))
    for row, color in enumerate(scene.tube_colors.tolist()):
        mesh = Mesh(
            positions[first[row] : first[row + 1]],
            (triangles[cuts[row] : cuts[row + 1]] - first[row]).astype(np.uint32),
            _material(color),
        )
        yield row, mesh, origins[row]


def drawing_notes(network: Network) -> tuple[str, ...]:
    """What people are to know of how a network is drawn in 3D, a sentence for each matter."""
    elevations, assumed = elevations_of(network)
    segments, nodes = network.segments, network.nodes
    said = drawing()["assumed"]
    warnings = []
    if count := int(assumed.sum()):
        warnings.append(
            f"{count} segments have no elevation at one end or both: in 3D their top lies "
            f"{said['cover']:g} m below the ground, or level with the other end"
        )
    if count := int((~np.isfinite(elevations).all(axis=1)).sum()):
        warnings.append(
            f"{count} segments are not drawn in 3D: neither their elevation nor that of the ground "
            "is known; give elevations, or import the terrain first"
        )
    same = (nodes.places[segments.starts] == nodes.places[segments.ends]).all(axis=1)
    point = same & (np.diff(segments.bend_starts) == 0) & (elevations[:, 0] == elevations[:, 1])
    if count := int(point.sum()):
        warnings.append(f"{count} segments are not drawn in 3D: both their ends are at one place")
    return tuple(warnings)


def _numbered(
    network: Network, drawn: Drawn, nodes: DrawnNodes, known: Mapping[str, Feature]
) -> tuple[tuple[Feature, ...], tuple[Rows, Rows]]:
    """The features that are drawn, and the number of each segment and node among them, or -1."""
    there = [np.zeros(len(network.segments), bool), np.zeros(len(network.nodes), bool)]
    there[0][drawn.tubes.owners] = True
    there[1][nodes.tubes.owners] = True
    there[1][nodes.parts.owners] = True
    identities = (network.segments.ids, network.nodes.ids)
    wanted = sorted(
        identity
        for ids, rows in zip(identities, there, strict=True)
        for identity in ids[rows].tolist()
        if identity in known
    )
    number = {identity: row for row, identity in enumerate(wanted)}
    numbers = [
        np.where(rows, np.array([number.get(i, -1) for i in ids.tolist()], np.int64), -1)
        for ids, rows in zip(identities, there, strict=True)
    ]
    return tuple(known[identity] for identity in wanted), (numbers[0], numbers[1])


class _Colors:
    """Linear colours of classes."""

    def __init__(self, styles: Mapping[str, ClassStyle]) -> None:
        self._known = {name: _linear(style.color) for name, style in styles.items()}
        self._plain = _linear(_PLAIN)

    def of(self, ids: Sequence[str] | NDArray[np.object_], known: Mapping[str, Feature]) -> Floats:
        """(n, 3) of features by id."""
        found = []
        for identity in ids:
            feature = known.get(identity)
            found.append(
                self._known.get(feature.feature_class, self._plain) if feature else self._plain
            )
        return np.array(found, np.float64).reshape(-1, 3)


def _linear(color: str) -> tuple[float, float, float]:
    """Red, green and blue, linear, of "#rrggbb" (IEC 61966-2-1)."""
    share = np.array(list(bytes.fromhex(color[1:]))) / 255
    red, green, blue = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(red), float(green), float(blue)


def _mesh(swept: Swept, color: Sequence[float]) -> Mesh:
    return Mesh(swept.positions, swept.triangles.astype(np.uint32), _material(color))


def _material(color: Sequence[float]) -> Material:
    red, green, blue = color
    return Material("", (red, green, blue, 1.0))


def _placed(place: Floats, turn: Floats) -> Floats:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn, place
    return matrix
