"""From a network to a layer: a feature for each segment and each node, whoever brought them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely

from cim_core.errors import InvalidInput
from cim_core.feature import Feature, Value
from cim_core.importers.attributes import scalars
from cim_core.importers.placing import Place, frame_near
from cim_core.layer import ClassStyle, Layer, PipeNetwork, Placement, Source
from cim_core.mesh import Floats
from cim_core.network import Labels, Network, NodeKind, Profile, Segments
from cim_core.progress import Progress
from cim_core.sweep_scene import drawing_notes
from pipelines.dictionary import class_styles, pipe_class

_CIM_LEVEL = 4
"""Things as they are, with their parts."""

_STYLED = (
    "system", "diameter", "material", "year", "depth_start", "owner", "burial", "status", "flow",
    "pressure", "kind", "feature", "depth",
)  # fmt: skip
"""What travels with the tiles, to colour by and to draw with."""


def network_layer(
    source: Source, placement: Placement, place: Place, network: Network, progress: Progress,
    *, said: Mapping[str, Mapping[str, Any]] | None = None, **more: Any,
) -> Layer:  # fmt: skip
    """A layer of a network; `said` is what else the source says of a feature, by its id.

    `more` goes to the layer: dropped, warnings, findings. Raises `InvalidInput` for a network
    without any node.
    """
    if len(network.nodes) == 0:
        raise InvalidInput(
            f"{source.filename} has no point that could be used; its report says why, or check that "
            "it is a pipe network"
        )
    features = [
        *segment_features(network, said or {}, progress),
        *node_features(network, said or {}, progress),
    ]
    west, south = network.nodes.places.min(axis=0)
    east, north = network.nodes.places.max(axis=0)
    warnings = (*more.pop("warnings", ()), *drawing_notes(network))
    middle = np.array([(west + east) / 2, (south + north) / 2, place.geoid_separation])
    return Layer(
        id=source.layer_id,
        title=source.title,
        frame=frame_near(middle, placement),
        content=PipeNetwork(tuple(features), network, place.geoid_separation),
        georeference=place.georeference,
        tile_attributes=_STYLED,
        class_styles=styles_of(network),
        level="under",
        cim_level=_CIM_LEVEL,
        sensitivity="sensitive",
        warnings=warnings,
        **more,
    )


def segment_features(
    network: Network, said: Mapping[str, Mapping[str, Any]], progress: Progress
) -> list[Feature]:
    """A feature for each segment; its shape is its middle line."""
    segments, nodes = network.segments, network.nodes
    shapes = segment_lines(network)
    # As surveyors have it: down to what the elevation is that of, the invert of drains (埋深).
    grounds = np.column_stack([nodes.ground[segments.starts], nodes.ground[segments.ends]])
    depths = grounds - segments.elevations
    numbers: dict[str, Floats] = {
        "diameter": np.where(segments.profiles == Profile.CIRCLE, segments.widths * 1000, np.nan),
        "width": np.where(segments.profiles == Profile.CIRCLE, np.nan, segments.widths * 1000),
        "height": np.where(segments.profiles == Profile.CIRCLE, np.nan, segments.heights * 1000),
        "depth_start": depths[:, 0],
        "depth_end": depths[:, 1],
        "elevation_start": segments.elevations[:, 0],
        "elevation_end": segments.elevations[:, 1],
        "length": segments.lengths,
    }
    texts: dict[str, Labels] = {
        "kind": segments.kinds, "material": segments.materials, "burial": segments.burials,
        "status": segments.statuses, "owner": segments.owners, "road": segments.roads,
        "pressure": segments.pressures,
    }  # fmt: skip
    columns = _columns(numbers, texts)
    columns["year"] = [int(year) or None for year in segments.years]
    columns["flow"] = [(None, "forward", "backward")[flow] for flow in segments.flows.tolist()]
    columns["from"] = nodes.ids[segments.starts].tolist()
    columns["to"] = nodes.ids[segments.ends].tolist()
    kinds = segment_classes(segments)
    systems = {name: pipe_class(name).system for name in kinds.names}
    features = []
    for row, identity in enumerate(segments.ids.tolist()):
        if row % 1000 == 0:
            progress(row, len(segments), "properties")
        kind = kinds.text(row)
        size = size_text(segments, row)
        features.append(
            Feature(
                identity, kind, " ".join(filter(None, (size, segments.materials.text(row)))) or identity,
                None,
                _attributes({"system": systems[kind], "size": size}, columns, row, said.get(identity)),
                shape=shapes[row],
            )
        )  # fmt: skip
    return features


def node_features(
    network: Network, said: Mapping[str, Mapping[str, Any]], progress: Progress
) -> list[Feature]:
    """A feature for each node; its shape is its place on the ground, or in the pipe's axis."""
    nodes, segments = network.nodes, network.segments
    kinds = segment_classes(segments)
    system = np.full(len(nodes), -1, np.int32)
    depth = np.full(len(nodes), -np.inf)
    axes = segments.axes
    for rows, heights in ((segments.starts, axes[:, 0]), (segments.ends, axes[:, 1])):
        system[rows] = kinds.codes
        np.fmax.at(depth, rows, heights)
    heights = np.where(np.isfinite(nodes.ground), nodes.ground, depth)
    shapes = shapely.points(np.column_stack([nodes.places, np.nan_to_num(heights)]))
    unknown = ~np.isfinite(heights)
    shapes[unknown] = shapely.force_2d(shapes[unknown])
    systems = [*(pipe_class(name).system for name in kinds.names), None]
    columns = _columns(
        {
            "ground": nodes.ground, "bottom": nodes.bottom, "depth": nodes.ground - nodes.bottom,
            "demand": nodes.demand, "users": nodes.users,
        },
        {"feature": nodes.features},
    )  # fmt: skip
    features = []
    for row, identity in enumerate(nodes.ids.tolist()):
        if row % 1000 == 0:
            progress(row, len(nodes), "properties")
        kind = node_class(NodeKind(nodes.kinds[row]))
        attributes = _attributes({"system": systems[system[row]]}, columns, row, said.get(identity))
        features.append(Feature(identity, kind, identity, None, attributes, shape=shapes[row]))
    return features


def segment_classes(segments: Segments) -> Labels:
    """The class of each segment as a feature: its sub-class, else "Pipe"."""
    unnamed = segments.classes.codes < 0
    codes = np.where(unnamed, len(segments.classes.names), segments.classes.codes)
    return Labels((*segments.classes.names, "Pipe"), codes.astype(np.int32))


def node_class(kind: NodeKind) -> str:
    """The class of a node as a feature.

    >>> node_class(NodeKind.WELL)
    'Well'
    """
    return kind.name.capitalize()


def styles_of(network: Network) -> dict[str, ClassStyle]:
    """How the classes of a network are called and coloured."""
    segments = segment_classes(network.segments)
    nodes = {node_class(NodeKind(kind)) for kind in np.unique(network.nodes.kinds).tolist()}
    used = {segments.names[code] for code in np.unique(segments.codes).tolist()}
    return class_styles(used | nodes)


def segment_lines(network: Network) -> np.ndarray[Any, np.dtype[np.object_]]:
    """The middle line of each segment, (m,), in degrees and metres in the city's datum.

    Where an elevation is not known the line has none.
    """
    pieces = network.pieces()
    first = np.searchsorted(pieces.segments, np.arange(len(network.segments)))
    counts = np.diff([*first, len(pieces.segments)])
    owner = np.repeat(np.arange(len(network.segments)), counts + 1)
    points = np.empty((len(owner), 3))
    last = np.cumsum(counts + 1) - 1
    begins = np.ones(len(owner), bool)
    begins[last] = False
    points[begins] = pieces.ends[:, 0]
    points[last] = pieces.ends[first + counts - 1, 1]
    known = np.isfinite(network.segments.axes).all(axis=1)
    lines: np.ndarray[Any, np.dtype[np.object_]] = shapely.linestrings(
        np.where(np.isfinite(points), points, 0.0), indices=owner
    )
    lines[~known] = shapely.force_2d(lines[~known])
    return lines


def size_text(segments: Segments, row: int) -> str:
    """The size of a segment as surveyors write it: "DN300", "400×600", "3×4 φ110"; "" if unknown."""
    width, height = segments.widths[row] * 1000, segments.heights[row] * 1000
    across, down = segments.ducts[row].tolist()
    if across:
        duct = segments.duct_sizes[row] * 1000
        return f"{across}×{down}" + (f" φ{duct:.0f}" if np.isfinite(duct) else "")
    if not np.isfinite(width):
        return ""
    if segments.profiles[row] == Profile.CIRCLE:
        return f"DN{width:.0f}"
    return f"{width:.0f}×{height:.0f}"


def _columns(numbers: Mapping[str, Floats], texts: Mapping[str, Labels]) -> dict[str, list[Value]]:
    columns: dict[str, list[Value]] = {
        name: np.round(values, 3).tolist() for name, values in numbers.items()
    }
    return columns | {name: labels.texts().tolist() for name, labels in texts.items()}


def _attributes(
    first: Mapping[str, Value], columns: Mapping[str, Sequence[Value]], row: int,
    said: Mapping[str, Any] | None,
) -> dict[str, Value]:  # fmt: skip
    """All there is to say of a row; what is not known is left out, and hides nothing that was said."""
    own = {**first, **{name: values[row] for name, values in columns.items()}}
    return scalars(said or {}) | scalars(own)
