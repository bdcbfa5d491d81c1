"""Clash: what a planned model runs into below the ground."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from analysis.analysis import Answer, Text, parameter
from analysis.clearance import KIND, LAT, LON
from analysis.network_question import CLASS, ID, LAYER, NetworkQuestion, numbers
from analysis.placed import PlacedBody, placed_bodies
from analysis.underground import Underground, underground
from cim_core.city import City
from cim_core.feature import Value
from cim_core.frame import Frame
from cim_core.mesh import Floats
from cim_core.network import Network, NodeKind, Rows, flat
from cim_core.progress import Progress
from cim_core.sweep import Tubes, sweep
from cim_core.sweep_network import drawn_segments, widest_drawn
from cim_core.sweep_nodes import drawn_nodes
from cim_core.table import Column
from pipelines.collision import Clash, Shell, boxes_of, clashes, near_boxes
from pipelines.network_layer import node_class, segment_classes
from pipelines.network_parts import part_of

_FIRST = (
    LAYER,
    ID,
    Column("other_layer", {"en": "Model", "zh": "模型图层"}, "text"),
    Column("other_id", {"en": "Element", "zh": "构件标识"}, "text"),
    KIND,
    CLASS,
    Column("other_class", {"en": "Class of the element", "zh": "构件类别"}, "text"),
    Column("other_name", {"en": "Name of the element", "zh": "构件名称"}, "text"),
    Column("distance", {"en": "Distance", "zh": "距离"}, "number", "m"),
    Column("depth", {"en": "Depth inside the element", "zh": "侵入深度"}, "number", "m"),
    Column("assumed", {"en": "Assumed", "zh": "推定项"}, "text"),
    LON,
    LAT,
    Column("height", {"en": "Height", "zh": "高程"}, "number", "m"),
)

_SPACING = 0.1
"""Metres between the points along a pipe that tell how deep it lies in an element."""

_SLACK = 2.0
"""Metres beyond what bodies reach, for the bend of the earth and of what is drawn."""

_AROUND = 8
_MOST_RINGS = 400


class ClashCheck(NetworkQuestion):
    """Elements of a model that touch pipes, cables or wells, or come near: triangles decide.

    Pipes are the tubes that are drawn; where their height or size was not surveyed, what was assumed
    for drawing is told in `assumed`. Classes that start hidden, spaces and the like, are left out.
    """

    name: ClassVar[str] = "clash"
    title: ClassVar[Text] = {"en": "Clash with a model", "zh": "模型与管线碰撞"}
    description: ClassVar[Text] = {
        "en": "Where a planned model, a building or a metro station, runs into pipes, cables and wells "
        "or comes near to them.",
        "zh": "检查规划模型（建筑、地铁站等）与地下管线、窨井的碰撞及邻近情况。",
    }
    outputs: ClassVar[dict[str, Text]] = {"pairs": {"en": "Pairs", "zh": "碰撞对"}}

    model: str = parameter(
        ...,
        {"en": "Model", "zh": "模型图层"},
        {"en": "The layer with the planned bodies.", "zh": "规划模型所在图层。"},
        format="layer-id",
    )
    classes: tuple[str, ...] = parameter(
        (),
        {"en": "Classes", "zh": "构件类别"},
        {"en": "Only elements of these classes: IfcPile.", "zh": "仅这些类别的构件，如 IfcPile。"},
    )
    ids: tuple[str, ...] = parameter(
        (),
        {"en": "Elements", "zh": "构件标识"},
        {"en": "Only the elements with these ids.", "zh": "仅这些标识的构件。"},
    )
    margin: float = parameter(
        0.0,
        {"en": "Margin", "zh": "邻近距离"},
        {"en": "How near counts as well; 0 for what touches alone.", "zh": "小于此距离也计入；0 表示仅计接触和相交。"},
        unit="m", ge=0, le=50,
    )  # fmt: skip

    def __call__(self, city: City, progress: Progress) -> Answer:
        """The pairs, those that go deepest first, then the nearest.

        Raises `NotFound` without a pipe network or for a model or element that is not there.
        """
        known = underground(city, self.layers)
        version = city.layers.get(self.model)
        elements = []
        for body in placed_bodies(city, version, self.classes, self.ids):
            progress.ask()
            elements.append(body)
        frame = Frame(*version.summary["frame"])
        separation = city.settings.geoid_separation
        planned = [Shell(item.local, item.triangles, np.empty((0, 3))) for item in elements]
        around = _around(known, elements, self.margin)
        buried, existing = _existing(
            around, frame, separation, boxes_of(planned), self.margin, progress
        )
        found = clashes(planned, existing, self.margin, progress)
        found.sort(key=lambda clash: (clash.distance, -(clash.depth or 0.0)))
        places = np.array([clash.place for clash in found]).reshape(-1, 3)
        heights = frame.to_geographic(places) - (0.0, 0.0, separation)

        def say(rows: Rows) -> list[list[Value]]:
            cells = [
                _said(known, self.model, elements[found[row].planned], buried[found[row].existing], found[row])
                for row in rows.tolist()
            ]  # fmt: skip
            columns = [list(column) for column in zip(*cells, strict=True)]
            shown = heights[rows]
            return [
                *(columns or [[] for _ in _FIRST[:-3]]),
                shown[:, 0].round(8).tolist(), shown[:, 1].round(8).tolist(), numbers(shown[:, 2]),
            ]  # fmt: skip

        pairs = self.paged(_FIRST, np.arange(len(found)), say)
        return Answer({"pairs": pairs}, (*known.versions, version))


@dataclass(frozen=True, slots=True)
class _Buried:
    """A segment, or the shaft of a well; `assumed` names what of it was not surveyed."""

    row: int
    node: bool
    assumed: str


@dataclass(frozen=True, slots=True)
class _Around:
    """A part of the networks, and which rows its nodes and segments are in all of them."""

    network: Network
    nodes: Rows
    segments: Rows


def _around(known: Underground, elements: Sequence[PlacedBody], margin: float) -> _Around:
    """What can come within a margin of elements, seen from above, and what meets there.

    Its wells in that margin are drawn as they are amid all of the networks.
    """
    nodes, segments = known.network.nodes, known.network.segments
    meets, held = np.zeros(len(segments), bool), np.zeros(len(nodes), bool)
    if elements:
        lon_lat = np.array([(e.positions[:, :2].min(axis=0), e.positions[:, :2].max(axis=0)) for e in elements])  # fmt: skip
        west, south = lon_lat.min(axis=(0, 1)).tolist()
        east, north = lon_lat.max(axis=(0, 1)).tolist()
        corners = flat(np.array([(west, south), (east, south), (east, north), (west, north)]), known.frame)  # fmt: skip
        # A well is a little wider than the widest pipe that meets there.
        wider = margin + 2 * widest_drawn(known.network) + _SLACK
        low, high = corners.min(axis=0) - wider, corners.max(axis=0) + wider
        pieces = known.flat[..., :2]
        close = ((pieces.min(axis=1) <= high) & (pieces.max(axis=1) >= low)).all(axis=1)
        meets[known.pieces.segments[close]] = True
        places = flat(nodes.places, known.frame)
        held = ((places >= low) & (places <= high)).all(axis=1)
        meets |= held[segments.starts] | held[segments.ends]
        held[segments.starts[meets]] = True
        held[segments.ends[meets]] = True
    network = part_of(known.network, held, meets)
    return _Around(network, np.flatnonzero(held), np.flatnonzero(meets))


def _existing(
    around: _Around, frame: Frame, separation: float, boxes: Floats, margin: float,
    progress: Progress,
) -> tuple[list[_Buried], list[Shell]]:  # fmt: skip
    """The bodies of segments and wells that can come within a margin of boxes, in a frame."""
    drawn = drawn_segments(around.network, frame, separation)
    nodes = drawn_nodes(around.network, drawn, frame, separation)
    shafts = nodes.tubes[around.network.nodes.kinds[nodes.tubes.owners] == NodeKind.WELL]
    buried, shells = [], []
    for tubes, of_nodes in ((drawn.tubes, False), (shafts, True)):
        near = np.unique(near_boxes(boxes, tubes.bounds, margin)[:, 1])
        for number, row in enumerate(near.tolist()):
            progress(number, len(near), "clashes")
            tube = tubes[np.array([row])]
            owner = int(tube.owners[0])
            if of_nodes:
                assumed = "height" if nodes.assumed[owner] else ""
            else:
                said = {"height": drawn.height_assumed[owner], "size": drawn.size_assumed[owner]}
                assumed = ", ".join(name for name, is_so in said.items() if is_so)
            rows = around.nodes if of_nodes else around.segments
            buried.append(_Buried(int(rows[owner]), of_nodes, assumed))
            swept = sweep(tube, sharp=False)
            shells.append(Shell(swept.positions, swept.triangles, _points(tube)))
    return buried, shells


def _points(tube: Tubes) -> Floats:
    """Points on the middle line of a tube and around it, (k, 3)."""
    start, end = tube.points[:-1], tube.points[1:]
    lengths = np.linalg.norm(end - start, axis=1)
    counts = np.clip(np.ceil(lengths / _SPACING).astype(np.int64), 1, _MOST_RINGS) + 1
    share = np.concatenate([np.linspace(0, 1, count) for count in counts.tolist()])[:, None]
    of = np.repeat(np.arange(len(start)), counts)
    middle = start[of] + share * (end[of] - start[of])
    along = ((end - start) / np.maximum(lengths, 1e-9)[:, None])[of]
    across = np.cross(along, (0.0, 0.0, 1.0))
    level = np.linalg.norm(across, axis=1, keepdims=True)
    across = np.where(level > 1e-6, across / np.maximum(level, 1e-6), (1.0, 0.0, 0.0))
    upward = np.cross(across, along)
    angles = np.arange(_AROUND) * 2 * np.pi / _AROUND
    wide, high = tube.outer[0] / 2 * 0.999
    rings = [
        middle + wide * np.cos(angle) * across + high * np.sin(angle) * upward for angle in angles
    ]
    return np.concatenate([middle, *rings])


def _said(
    known: Underground, model: str, element: PlacedBody, buried: _Buried, clash: Clash
) -> list[Value]:
    nodes, segments = known.network.nodes, known.network.segments
    own: list[Value]
    if buried.node:
        own = [known.layer_of_node(buried.row), nodes.ids[buried.row]]
        kind = node_class(NodeKind(nodes.kinds[buried.row]))
    else:
        own = [known.layer_of(buried.row), segments.ids[buried.row]]
        kind = segment_classes(segments).text(buried.row)
    feature = element.feature
    return [
        *own,
        model,
        feature.id,
        "clash" if clash.distance == 0 else "near",
        kind,
        feature.feature_class,
        feature.name,
        round(clash.distance, 3),
        None if clash.depth is None else round(clash.depth, 3),
        buried.assumed,
    ]
