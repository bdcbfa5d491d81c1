"""Pipe networks made of rules, for sweeping and tiling."""

from dataclasses import replace

import numpy as np

from cim_core.frame import Frame
from cim_core.layer import Georeference, Layer, PipeNetwork
from cim_core.network import (
    Labels,
    Network,
    NodeKind,
    Nodes,
    Profile,
    Reference,
    Segments,
)
from cim_core.progress import Progress
from pipelines.network_layer import node_features, segment_features, styles_of

HERE = Frame(113.46, 23.10, 0.0)
GEOID = -4.0

_CLASSES = ("JP", "WS", "YS", "TR", "GD", "DH")
_STYLED = (
    "system", "diameter", "material", "year", "depth_start", "owner", "burial", "status", "flow",
    "pressure", "kind", "feature", "depth",
)  # fmt: skip


def network_of(
    places: np.ndarray, ends: np.ndarray, elevations: np.ndarray, **columns: object
) -> Network:
    """Segments between nodes at places (n, 2), metres east and north of `HERE`; ends (m, 2)."""
    flat = np.column_stack([places, np.zeros(len(places))])
    nodes = Nodes.bare([f"n{i}" for i in range(len(places))], HERE.to_geographic(flat)[:, :2])
    ends = np.asarray(ends, np.int64).reshape(-1, 2)
    bare = Segments.bare([f"s{i}" for i in range(len(ends))], ends[:, 0], ends[:, 1])
    of_nodes = {k: v for k, v in columns.items() if k in Nodes.__slots__}
    of_segments = {
        k: v for k, v in columns.items() if k in Segments.__slots__ and k not in of_nodes
    }
    segments = replace(bare, elevations=np.asarray(elevations, float).reshape(-1, 2), **of_segments)
    return Network(replace(nodes, **of_nodes), segments)


def network_layer_of(network: Network, name: str = "pipes", frame: Frame = HERE) -> Layer:
    """A layer of a network as importers make it."""
    features = (
        *segment_features(network, {}, Progress()), *node_features(network, {}, Progress())
    )  # fmt: skip
    return Layer(
        name, "Pipes", frame, PipeNetwork(features, network, GEOID), Georeference("user", None, {}),
        _STYLED, styles_of(network), level="under", cim_level=4, sensitivity="sensitive",
    )  # fmt: skip


def streets(segments: int) -> Network:
    """Six kinds of pipes along a grid of streets, 30 m from node to node; seeded.

    Drainage has wells, gas and water fittings and valves, telecom blocks of ducts; every eighth
    segment has a bend of its own.
    """
    rng = np.random.default_rng(2026)
    per_street = 12
    steps = np.arange(per_street) * 30.0
    count = -(-segments // (per_street - 1))
    street = np.arange(count)
    kind = street % len(_CLASSES)
    block = street // (2 * len(_CLASSES))
    side = int(np.ceil(np.sqrt(block.max() + 1)))
    corner = np.column_stack([block % side, block // side]) * 330.0 - side * 165.0
    northward = (street // len(_CLASSES)) % 2 == 1
    offset = (kind - 2.5) * 2.0
    along = np.stack([np.broadcast_to(steps, (count, per_street)), np.zeros((count, per_street))], axis=2)  # fmt: skip
    along[:, :, 1] += offset[:, None] + rng.normal(0, 0.05, (count, per_street))
    along[northward] = along[northward][:, :, ::-1]
    places = (corner[:, None] + along).reshape(-1, 2)
    nodes = np.arange(count * per_street).reshape(count, per_street)
    starts, ends = nodes[:, :-1].ravel(), nodes[:, 1:].ravel()
    starts, ends = starts[:segments], ends[:segments]
    of = np.repeat(kind, per_street - 1)[:segments]
    node_kind = np.repeat(kind, per_street)
    ground = 20 + 3 * np.sin(places[:, 0] / 700) + 2 * np.cos(places[:, 1] / 900)
    depth = np.array([1.0, 2.8, 2.2, 1.1, 0.8, 0.9])[node_kind] + rng.uniform(0, 0.15, len(places))
    sizes = [[0.1, 0.2, 0.3, 0.4], [0.3, 0.4, 0.5, 0.6], [0.4, 0.6, 0.8, 1.0], [0.11, 0.16, 0.2, 0.3],
             [0.1, 0.1, 0.15, 0.15], [0.36, 0.36, 0.48, 0.48]]  # fmt: skip
    pick = np.repeat(rng.integers(0, 4, count), per_street - 1)[:segments]
    widths = np.array(sizes)[of, pick]
    ducts = np.zeros((segments, 2), np.int16)
    blocks = of == 5
    ducts[blocks] = np.where(pick[blocks, None] < 2, [3, 2], [4, 2])
    heights = np.where(blocks, 0.26, widths)
    drainage = np.isin(node_kind, (1, 2))
    kinds = np.where(drainage, NodeKind.WELL, NodeKind.JOINT)
    kinds[(node_kind == 0) & (np.arange(len(places)) % 10 == 3)] = NodeKind.VALVE
    kinds[(node_kind == 0) & (np.arange(len(places)) % 20 == 8)] = NodeKind.HYDRANT
    kinds[(node_kind == 5) & (np.arange(len(places)) % 4 == 0)] = NodeKind.WELL
    invert = ground - depth
    flat = np.column_stack([places, np.zeros(len(places))])
    lon_lat = HERE.to_geographic(flat)[:, :2]
    names = np.array(_CLASSES)[node_kind]
    made = Nodes.bare([f"{n}P{i:06d}" for i, n in enumerate(names.tolist())], lon_lat)
    made = replace(
        made, ground=np.round(ground, 3), kinds=kinds.astype(np.int8),
        bottom=np.where(kinds == NodeKind.WELL, np.round(invert - 0.1, 3), np.nan),
    )  # fmt: skip
    bare = Segments.bare(
        [f"{_CLASSES[k]}L{i:06d}" for i, k in enumerate(of.tolist())], starts, ends
    )
    bent = np.arange(segments) % 8 == 5
    middle = (places[starts[bent]] + places[ends[bent]]) / 2 + rng.normal(0, 0.8, (bent.sum(), 2))
    bends = HERE.to_geographic(np.column_stack([middle, np.zeros(len(middle))]))[:, :2]
    gravity = np.isin(of, (1, 2))
    made_segments = replace(
        bare,
        bends=bends, bend_starts=np.concatenate([[0], np.cumsum(bent)]),
        elevations=np.round(np.column_stack([invert[starts], invert[ends]]), 3),
        references=np.where(gravity, Reference.INVERT, Reference.TOP).astype(np.int8),
        profiles=np.where(blocks, Profile.DUCTS, Profile.CIRCLE).astype(np.int8),
        widths=widths, heights=heights, ducts=ducts, duct_sizes=np.where(blocks, 0.1, np.nan),
        lengths=np.full(segments, 30.0), flows=np.where(gravity, 1, 0).astype(np.int8),
        classes=Labels(_CLASSES, of.astype(np.int32)),
        materials=Labels.of(np.array(["PE", "T", "T", "PE", "GX", "GX"])[of].tolist()),
        owners=Labels.of(np.array(["区供水公司", "区排水公司", "区排水公司", "区燃气公司", "区供电局", "区通信公司"])[of].tolist()),
        burials=Labels.of(np.where(blocks, "GK", "ZM").tolist()),
        years=(1985 + rng.integers(0, 38, segments)).astype(np.int16),
    )  # fmt: skip
    return Network(made, made_segments)
