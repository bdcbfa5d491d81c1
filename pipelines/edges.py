"""Layers of pipes and nodes as an import: lines become a network where their ends meet."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from cim_core.errors import CimError, InvalidInput
from cim_core.frame import Frame
from cim_core.importers.attributes import unique_ids
from cim_core.importers.table_file import table_infos
from cim_core.importers.tables import holds_tables
from cim_core.layer import Ground, Layer, Placement, Source
from cim_core.mesh import Floats
from cim_core.network import Labels, Network, Nodes, Reference, Segments, flat
from cim_core.network import Rows as Numbers
from cim_core.progress import Progress
from pipelines.dictionary import ABANDONED, Dictionary, pipe_class
from pipelines.edge_columns import (
    are_pipes,
    as_numbers,
    as_years,
    is_closed,
    node_kind,
    sizes,
)
from pipelines.edge_findings import Ends, edge_findings
from pipelines.edge_rows import Layers, Rows, read_layers
from pipelines.model import chosen_class, feature_ids
from pipelines.network_layer import network_layer
from pipelines.network_parts import drawn_lengths
from pipelines.snapping import Places, joined_ends, node_places
from pipelines.splitting import Parts, cut_where_others_end, uncut
from pipelines.survey_lines import flows_of
from pipelines.survey_values import standard_words

_RULE = "pipe-end-unconnected"
_FARTHEST = 100.0
"""Metres: ends that lie farther from each other are not those of one node."""
_TEXTS = {"owners": "owner", "roads": "road", "pressures": "pressure"}
"""Texts of segments by the role of the column they are in."""

_WORDS: tuple[tuple[Dictionary, str], ...] = (
    ("materials", "material"), ("burials", "burial"), ("statuses", "status"),
)  # fmt: skip
"""Those that the dictionary has words for, as it calls them."""

_HEIGHTS = (
    ("start_invert", "end_invert", Reference.INVERT),
    ("start_top", "end_top", Reference.TOP),
    ("start_elevation", "end_elevation", None),
)
_DEPTHS = (
    ("start_invert_depth", "end_invert_depth", Reference.INVERT),
    ("start_top_depth", "end_top_depth", Reference.TOP),
    ("start_depth", "end_depth", None),
)


@dataclass(frozen=True, slots=True)
class EdgeImporter:
    """Reads layers of pipes as lines, with or without one of their nodes as points.

    Several layers come as one file, as a folder or as a .zip.

    Options: `snap` (metres within which ends are one node; what the check-in rule says without it),
    `split` (yes: an end on the middle of another line cuts it), `from`, `to` and `id` (columns),
    `diameter_unit` (mm, m or in), `pipe_class` (of lines that do not say theirs), `table` and
    `encoding` as for other tables.
    """

    def recognises(self, path: Path) -> bool:
        """Whether it is a file of lines whose columns name the nodes at their ends and a size."""
        if path.is_dir() or not holds_tables(path):
            return False
        try:
            infos = table_infos(path, path.name)
        except CimError:
            return False
        return any("LineString" in i.geometry and are_pipes(i.columns) for i in infos)

    def __call__(self, source: Source, placement: Placement, progress: Progress) -> Layer:
        """Import layers; raises `InvalidInput` when they cannot be read or hold no line."""
        within = _within(source)
        split = source.options.get("split") == "yes"
        layers = read_layers(source, placement, progress)
        lines, points = layers.lines, layers.points
        frame, plane = _plane(layers)
        names, end_names, point_names = _names(lines, points)
        places = Places(
            np.vstack([plane, _at(points, frame)]), np.repeat(np.arange(len(lines)), 2),
            np.concatenate([end_names, point_names]),
        )  # fmt: skip
        nodes = joined_ends(places, within, progress)
        lon_lat = node_places(places, nodes, _lon_lat(layers))
        middles = node_places(places, nodes, places.at)
        starts, ends = nodes[: 2 * len(lines) : 2], nodes[1 : 2 * len(lines) : 2]
        parts = uncut(starts, ends)
        if split:
            on_plane = shapely.transform(np.array(lines.shapes, object), lambda xy: flat(xy, frame))
            parts = cut_where_others_end(on_plane, starts, ends, middles, within)
        node_ids, segment_ids = feature_ids(
            _node_ids(places, nodes, names, points, len(lon_lat)),
            _part_ids(lines.ids, parts.lines),
        )
        made = _nodes(node_ids, lon_lat, points, nodes[2 * len(lines) :])
        network = Network(made, _segments(segment_ids, lines, points, parts, nodes, made, source, placement))  # fmt: skip
        network = _with_lengths(network, lines, parts, layers.warnings)
        found = edge_findings(
            source.rules, Ends(places, nodes, middles, names, within), network, parts, lines,
        )  # fmt: skip
        said = {
            **{segment_ids[row]: lines.said[line] for row, line in enumerate(parts.lines.tolist())},
            **{node_ids[node]: points.said[row] for row, node in enumerate(nodes[2 * len(lines) :].tolist())},
        }  # fmt: skip
        return network_layer(
            source, placement, layers.place, network, progress, said=said,
            dropped=tuple(layers.dropped), warnings=(*layers.warnings, *layers.place.warnings),
            findings=found,
        )  # fmt: skip


def _within(source: Source) -> float:
    """The tolerance in metres: the person's, else that of the city's rule."""
    said = source.options.get("snap")
    if said is None:
        return source.rules[_RULE].number("max")
    try:
        within = float(said)
    except ValueError:
        within = -1.0
    if not 0 < within < np.inf:
        raise InvalidInput(f"snap={said} is no distance; give metres, as in snap=0.5")
    if within > _FARTHEST:
        raise InvalidInput(
            f"snap={said} is too far; give at most {_FARTHEST:g} metres, as in snap=0.5"
        )
    return within


def _plane(layers: Layers) -> tuple[Frame, Floats]:
    """A frame around all of it, and the ends of lines in its plane, (2m, 2), two of each line."""
    ends = _ends(layers.lines)
    middle = (ends.min(axis=0) + ends.max(axis=0)) / 2
    frame = Frame(float(middle[0]), float(middle[1]), 0.0)
    return frame, flat(ends, frame)


def _ends(lines: Rows) -> Floats:
    shapes = np.array(lines.shapes, object)
    both = np.stack([shapely.get_point(shapes, 0), shapely.get_point(shapes, -1)], axis=1)
    found: Floats = shapely.get_coordinates(both.ravel())
    return found


def _lon_lat(layers: Layers) -> Floats:
    """(2m + k, 2) degrees: the ends of lines, then points."""
    points = shapely.get_coordinates(np.array(layers.points.shapes, object))
    return np.vstack([_ends(layers.lines), points.reshape(-1, 2)])


def _at(points: Rows, frame: Frame) -> Floats:
    found = shapely.get_coordinates(np.array(points.shapes, object)).reshape(-1, 2)
    return flat(found, frame) if len(found) else found


def _names(lines: Rows, points: Rows) -> tuple[list[str], Numbers, Numbers]:
    """The names of nodes, and the number of that of each end, (2m,), and point, (k,); -1 for none.

    A point's name counts only where lines name their nodes, and that one.
    """
    starts, ends = lines.texts("start"), lines.texts("end")
    written = [name for pair in zip(starts, ends, strict=True) for name in pair]
    known: dict[str, int] = {}
    numbers = [known.setdefault(name, len(known)) if name else -1 for name in written]
    named = points.texts("point") if known else [""] * len(points)
    of_points = [known.get(name, -1) if name else -1 for name in named]
    return list(known), np.array(numbers, np.int64), np.array(of_points, np.int64)


def _node_ids(
    places: Places, nodes: Numbers, names: list[str], points: Rows, count: int
) -> list[str]:
    """What each node is called: as its point, else as its ends name it, else by its number."""
    found = [f"node-{node + 1}" for node in range(count)]
    for node, name in zip(nodes.tolist(), places.names.tolist(), strict=True):
        if name >= 0:
            found[node] = names[name]
    for node, name in zip(nodes[len(places.lines) :].tolist(), points.ids, strict=True):
        found[node] = name
    return unique_ids(found)


def _part_ids(ids: list[str], lines: Numbers) -> list[str]:
    """The id of each part: its line's where it is all of it, else with the number of the part."""
    counts = np.bincount(lines, minlength=len(ids))
    within = np.arange(len(lines)) - np.searchsorted(lines, lines)
    return unique_ids(
        ids[line] if counts[line] == 1 else f"{ids[line]}.{number + 1}"
        for line, number in zip(lines.tolist(), within.tolist(), strict=True)
    )


def _nodes(ids: list[str], lon_lat: Floats, points: Rows, at: Numbers) -> Nodes:
    """Nodes with what points say of them; `at` (k,) is the node of each point."""
    nodes = Nodes.bare(ids, lon_lat)
    features = [""] * len(ids)
    kinds = np.zeros(len(ids), np.int8)
    named = zip(points.texts("appurtenance"), points.texts("feature"), strict=True)
    for node, (appurtenance, feature) in zip(at.tolist(), named, strict=True):
        features[node] = appurtenance or feature
        kinds[node] = node_kind(features[node])

    def spread(role: str, factor: float = 1.0) -> Floats:
        values = np.full(len(ids), np.nan)
        values[at] = as_numbers(points.column(role)) * factor
        return values

    demand, other = spread("demand"), spread("demand_m3s", 1000.0)
    return replace(
        nodes, ground=spread("ground"), bottom=spread("bottom"), kinds=kinds,
        features=Labels.of(features), users=spread("users"),
        demand=np.where(np.isnan(demand), other, demand),
    )  # fmt: skip


def _segments(
    ids: list[str], lines: Rows, points: Rows, parts: Parts, nodes: Numbers, made: Nodes,
    source: Source, placement: Placement,
) -> Segments:  # fmt: skip
    options, row = source.options, parts.lines
    profiles, widths, heights, walls, ducts, holes = sizes(
        lines.column("size"), lines.column("width"), lines.column("height"),
        options.get("diameter_unit"), source.filename,
    )  # fmt: skip
    classes = _classes(lines, chosen_class(options))
    elevations, references = _elevations(lines, points, nodes, made, classes, source.ground)
    between = elevations[row, :1] + parts.shares * (elevations[row, 1:] - elevations[row, :1])
    bends, bend_starts = _bends(lines, parts)
    texts: dict[str, Any] = {
        name: Labels.of(lines.texts(role))[row] for name, role in _TEXTS.items()
    }
    for name, role in _WORDS:
        known = standard_words(name, np.array(lines.texts(role), object))
        texts[name] = known[row]
    closed = np.array([is_closed(status) for status in lines.texts("status")], bool)[row]
    flows = flows_of(np.array(lines.texts("flow"), object), classes, elevations)
    return replace(
        Segments.bare(ids, parts.starts, parts.ends),
        bends=bends, bend_starts=bend_starts, elevations=between, references=references[row],
        profiles=profiles[row], widths=widths[row], heights=heights[row], walls=walls[row],
        ducts=ducts[row], duct_sizes=holes[row], classes=classes[row],
        kinds=Labels.of(text.lower() or "pipe" for text in lines.texts("kind"))[row],
        flows=flows[row], closed=closed | texts["statuses"].are(ABANDONED),
        years=as_years(lines.column("year"))[row], **texts,
    )  # fmt: skip


def _classes(lines: Rows, chosen: str | None) -> Labels:
    said = (text.upper() for text in lines.texts("class"))
    return Labels.of(text if pipe_class(text).system else chosen for text in said)


def _elevations(
    lines: Rows, points: Rows, nodes: Numbers, made: Nodes, classes: Labels, terrain: Ground | None
) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.int8]]]:
    """(m, 2) elevations and (m,) what they are of: columns, else depths, the shape, the nodes."""
    count = len(lines)
    usual = np.array([pipe_class(name).reference for name in classes.texts()], np.int8)
    ends = nodes[: 2 * count].reshape(-1, 2)
    found, references = np.full((count, 2), np.nan), np.zeros(count, np.int8)

    def take(values: Floats, reference: Any) -> None:
        new = np.isnan(found).all(axis=1) & np.isfinite(values).any(axis=1)
        found[new], references[new] = values[new], np.broadcast_to(reference, count)[new]

    def columns(start: str, end: str) -> Floats:
        return np.column_stack([as_numbers(lines.column(start)), as_numbers(lines.column(end))])

    for start, end, reference in _HEIGHTS:
        take(columns(start, end), usual if reference is None else reference)
    ground = made.ground
    if terrain is not None and np.isnan(ground).any():
        ground = np.where(np.isnan(ground), terrain(made.places), ground)
    for start, end, reference in _DEPTHS:
        # A depth is to the top unless the class is surveyed by its invert.
        take(ground[ends] - columns(start, end), usual if reference is None else reference)
    shapes = np.array(lines.shapes, object)
    first, last = (shapely.get_z(shapely.get_point(shapes, at)) for at in (0, -1))
    take(np.column_stack([first, last]), usual)
    axis = np.full(len(made), np.nan)
    axis[nodes[2 * count :]] = as_numbers(points.column("axis"))
    take(axis[ends], Reference.AXIS)
    return found, references


def _bends(lines: Rows, parts: Parts) -> tuple[Floats, Numbers]:
    """The vertices between the ends of each part, (b, 2) degrees, and where those of each begin."""
    shapes = np.array(lines.shapes, object)
    points, owner = shapely.get_coordinates(shapes, return_index=True)
    begins = np.append(True, owner[1:] != owner[:-1])
    ends = np.append(owner[1:] != owner[:-1], True)
    # Shares are of a metric length; degrees of longitude are shorter than those of latitude.
    scale = np.array([np.cos(np.radians(points[:, 1].mean())), 1.0])
    steps = np.linalg.norm(np.diff(points, axis=0, prepend=points[:1]) * scale, axis=1)
    steps[begins] = 0.0
    along = np.cumsum(steps)
    along -= along[begins][owner]
    share = along / along[ends][owner]
    inner = ~(begins | ends)
    # Parts are in the order of their lines and of their shares, and so are the vertices.
    keys = parts.lines + parts.shares[:, 0]
    part = np.searchsorted(keys, (owner + np.minimum(share, 1 - 1e-9))[inner], side="right") - 1
    counts = np.bincount(part, minlength=len(keys))
    return points[inner], np.concatenate([[0], np.cumsum(counts)])


def _with_lengths(network: Network, lines: Rows, parts: Parts, warnings: list[str]) -> Network:
    """With lengths as the layer says them, else as they lie."""
    drawn = drawn_lengths(network)
    said = as_numbers(lines.column("length"))[parts.lines] * np.diff(parts.shares, axis=1)[:, 0]
    both = (said > 0) & (drawn > 0)
    if both.any():
        ratio = float(np.median(said[both] / drawn[both]))
        if not 0.8 < ratio < 1.25:
            warnings.append(
                f"its column of lengths says {ratio:.3g} times what is drawn; the lengths drawn were taken"
            )
            said = np.full(len(drawn), np.nan)
    lengths = np.where(said > 0, said, drawn)
    return replace(network, segments=replace(network.segments, lengths=lengths))
