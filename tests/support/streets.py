"""Pipe networks whose every place is known, made without a file: metres east and north of a corner."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from cim_core.city import City
from cim_core.frame import Frame
from cim_core.importers.placing import Place
from cim_core.layer import Georeference, Placement, Source
from cim_core.network import Labels, Network, NodeKind, Nodes, Reference, Segments
from cim_core.progress import Progress
from pipelines.network_layer import network_layer
from tests.support.layers import publish

CORNER = Frame(113.46, 23.10, 0.0)


def lon_lat(metres: object) -> np.ndarray:
    """(n, 2) metres east and north of the corner as degrees."""
    points = np.atleast_2d(np.asarray(metres, float))
    return CORNER.to_geographic(np.column_stack([points, np.zeros(len(points))]))[:, :2]


def pipes(
    points: dict[str, tuple[float, float]],
    lines: dict[str, tuple[str, str]],
    *,
    ground: object = 10.0,
    elevations: object = np.nan,
    size: object = 0.3,
    reference: Reference = Reference.AXIS,
    classes: str = "JP",
    kinds: dict[str, NodeKind] | None = None,
    **more: object,
) -> Network:
    """Straight round pipes between named points; `elevations` (m, 2) or for all."""
    names, count = list(points), len(lines)
    at = np.array(list(points.values()), float)
    nodes = Nodes.bare(names, lon_lat(at))
    codes = [int((kinds or {}).get(name, NodeKind.JOINT)) for name in names]
    nodes = replace(
        nodes, ground=np.broadcast_to(np.asarray(ground, float), len(names)).copy(),
        kinds=np.array(codes, np.int8),
    )  # fmt: skip
    ends = np.array([[names.index(a), names.index(b)] for a, b in lines.values()], np.int64)
    segments = Segments.bare(list(lines), ends[:, 0], ends[:, 1])
    sizes = np.broadcast_to(np.asarray(size, float), count).copy()
    return Network(
        nodes,
        replace(
            segments, elevations=np.broadcast_to(np.asarray(elevations, float), (count, 2)).copy(),
            references=np.full(count, reference, np.int8), widths=sizes, heights=sizes,
            lengths=np.hypot(*(at[ends[:, 1]] - at[ends[:, 0]]).T),
            classes=Labels.of([classes] * count), **more,
        ),
    )  # fmt: skip


def publish_pipes(city: City, layer: str, network: Network) -> None:
    """Make a network a layer of a city's, without tiles."""
    place = Place(Georeference("anchor", None, {"en": "", "zh": ""}), lambda p: p, 0.0)
    source = Source(Path(layer), layer, layer, layer)
    publish(city, network_layer(source, Placement(), place, network, Progress()))
