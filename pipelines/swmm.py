"""SWMM's .inp as a network, through swmm_api: the door of the library.

Source: SWMM 5 user's manual, the sections of the input file.
"""

import math
import tomllib
import warnings as python_warnings
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np

from cim_core.errors import InvalidInput
from cim_core.feature import Value
from cim_core.mesh import Floats
from cim_core.network import Labels, Network, NodeKind, Nodes, Profile, Reference, Segments
from cim_core.progress import Progress
from pipelines.inp_text import InpText
from pipelines.model import Model, feature_ids, rows_by_name
from pipelines.water_model import FOOT, LITRES_PER_SECOND

_IN_FEET = ("CFS", "GPM", "MGD")
_IN_METRES = ("CMS", "LPS", "MLD")

_NODES = (
    ("JUNCTIONS", "junction", NodeKind.WELL),
    ("OUTFALLS", "outfall", NodeKind.OUTFALL),
    ("DIVIDERS", "divider", NodeKind.WELL),
    ("STORAGE", "storage", NodeKind.DEVICE),
)
_LINKS = (
    ("CONDUITS", "pipe"), ("PUMPS", "pump"), ("ORIFICES", "orifice"), ("WEIRS", "weir"),
    ("OUTLETS", "outlet"),
)  # fmt: skip
_WANTED = (
    *(section for section, *_ in _NODES), *(section for section, _ in _LINKS),
    "XSECTIONS", "TRANSECTS", "CURVES", "STREETS", "COORDINATES", "VERTICES", "SUBCATCHMENTS", "DWF",
)  # fmt: skip
"""What the library is given to read; the rest of a model cannot keep its network from being read."""

_ACRE, _HECTARE = 0.40468564224, 1.0


@dataclass(slots=True)
class _Links:
    """The links of a model, in its own units, in the order of the file."""

    names: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    lengths: list[float] = field(default_factory=list)
    elevations: list[tuple[float, float]] = field(default_factory=list)
    sizes: list[tuple[Profile, float, float]] = field(default_factory=list)
    said: list[dict[str, Value]] = field(default_factory=list)


def read_swmm(text: InpText, pipe_class: str | None, progress: Progress) -> Model:
    """The network of an .inp file of SWMM, in metres and litres per second.

    `pipe_class` is the class of its pipes; without one it follows from what flows in: from areas
    it rains on (YS), dry weather flows (WS) or both (HS). Elevations are inverts; an offset that
    would lie below its node lies at the node. Raises `InvalidInput`.
    """
    options = text.options()
    flow_unit = options.get("FLOW_UNITS", "CFS").upper()
    if flow_unit not in _IN_FEET + _IN_METRES:
        raise InvalidInput(
            f"{text.name} counts its flows in {flow_unit}, which is no unit of SWMM; give one of "
            f"{', '.join(_IN_FEET + _IN_METRES)}"
        )
    metre = FOOT if flow_unit in _IN_FEET else 1.0
    progress(0, 0, "reading")
    sections = _read(text)
    names, features, kinds, inverts, depths = _nodes(text, sections)
    rows = rows_by_name(np.array(names, object))
    absolute = options.get("LINK_OFFSETS", "DEPTH").upper() == "ELEVATION"
    approximate: Counter[str] = Counter()
    natural: Counter[str] = Counter()
    links = _links(text, sections, rows, inverts, approximate, natural, metre, absolute=absolute)
    node_ids, segment_ids = feature_ids(names, links.names)
    unknown = np.array(depths) <= 0
    bottom = np.array(inverts) * metre
    nodes = replace(
        Nodes.bare(node_ids, _places(sections, rows)),
        ground=np.where(unknown, np.nan, bottom + np.array(depths) * metre),
        bottom=bottom,
        kinds=np.array(kinds, np.int8),
        features=Labels.of(features),
    )
    bends, bend_starts = _bends(sections, rows_by_name(np.array(links.names, object)))
    wide = np.array([size[1:] for size in links.sizes], float).reshape(-1, 2) * metre
    count = len(links.names)
    segments = replace(
        Segments.bare(
            segment_ids, np.array(links.starts, np.int64), np.array(links.ends, np.int64)
        ),
        bends=bends,
        bend_starts=bend_starts,
        elevations=np.array(links.elevations, float).reshape(-1, 2) * metre,
        references=np.full(count, Reference.INVERT, np.int8),
        profiles=np.array([size[0] for size in links.sizes], np.int8),
        widths=wide[:, 0],
        heights=wide[:, 1],
        lengths=np.array(links.lengths, float) * metre,
        flows=np.ones(count, np.int8),
        classes=Labels.of([pipe_class or _class_of(sections)] * count),
        kinds=Labels.of(links.kinds),
    )
    area = _ACRE if metre == FOOT else _HECTARE
    said = dict(zip(segment_ids, links.said, strict=True))
    drained = _drained(sections, rows, area, LITRES_PER_SECOND[flow_unit])
    said |= {node_ids[row]: {"model_id": names[row], **drained.get(row, {})} for row in range(len(names))}  # fmt: skip
    warnings = [
        f"{number} links have a cross-section {shape} and are drawn as the box or circle around it"
        for shape, number in sorted(approximate.items())
    ]
    if natural:
        warnings.append(
            f"{natural.total()} links are natural channels or streets; they are drawn as lines, and "
            "their width and depth are kept as top_width and full_depth"
        )
    if areas := len(sections["SUBCATCHMENTS"]):
        warnings.append(
            f"its {areas} subcatchments are no part of the network; the area drained is kept with "
            "the node it drains to"
        )
    map_unit = text.options("MAP").get("UNITS", "").upper()
    return Model(Network(nodes, segments), said, map_unit, metre, warnings)


def _read(text: InpText) -> Mapping[str, Mapping[Any, Any]]:
    """The sections by name; raises `InvalidInput` with the section that cannot be read."""
    from swmm_api.input_file.inp import SwmmInput

    found: dict[str, Mapping[Any, Any]] = {}
    for section in _WANTED:
        lines = [" ".join(words) for _, words in text[section]]
        if not lines:
            found[section] = {}
            continue
        try:
            with python_warnings.catch_warnings():
                # What it warns of are its own habits, nothing a file could do better.
                python_warnings.simplefilter("ignore")
                model = SwmmInput.read_text(f"[{section}]\n" + "\n".join(lines))
                found[section] = dict(model[section])
        except (ValueError, TypeError, LookupError, AttributeError, Warning) as error:
            reason = str(error).partition("\n")[0]
            raise InvalidInput(
                f"{text.name}, section [{section}] cannot be read as SWMM writes it ({reason}); "
                "correct it and run it in SWMM once"
            ) from error
    return found


def _nodes(
    text: InpText, sections: Mapping[str, Mapping[Any, Any]]
) -> tuple[list[str], list[str], list[NodeKind], list[float], list[float]]:
    """Names, what the model calls them, kinds, inverts and depths of all nodes."""
    names, features, kinds, inverts, depths = [], [], [], [], []
    for section, feature, kind in _NODES:
        _all_different(text, section, sections)
        for name, node in sections[section].items():
            names.append(str(name))
            features.append(feature)
            kinds.append(kind)
            inverts.append(float(node.elevation))
            depths.append(float(getattr(node, "depth_max", 0.0)))
    return names, features, kinds, inverts, depths


def _all_different(text: InpText, section: str, sections: Mapping[str, Mapping[Any, Any]]) -> None:
    written = [words[0] for _, words in text[section]]
    if len(written) > len(sections[section]):
        name = Counter(written).most_common(1)[0][0]
        raise InvalidInput(
            f"{text.name}, section [{section}] has {name!r} twice; rename one of them"
        )


def _links(
    text: InpText, sections: Mapping[str, Mapping[Any, Any]], rows: Mapping[str, int],
    inverts: list[float], approximate: Counter[str], natural: Counter[str], metre: float, *, absolute: bool,
) -> _Links:  # fmt: skip
    links = _Links()
    for section, kind in _LINKS:
        _all_different(text, section, sections)
        for name, link in sections[section].items():
            for node in (link.from_node, link.to_node):
                if node not in rows:
                    raise InvalidInput(
                        f"{text.name}, section [{section}]: there is no node {node!r}, which {name!r} "
                        "names; correct that line"
                    )
            start, end = rows[link.from_node], rows[link.to_node]
            ends = _heights(kind, link, inverts[start], inverts[end], absolute=absolute)
            size, about = _size(sections, str(name), approximate, natural, metre)
            links.names.append(str(name))
            links.kinds.append("channel" if kind == "pipe" and about.pop("open", False) else kind)
            links.starts.append(start)
            links.ends.append(end)
            links.lengths.append(float(getattr(link, "length", math.nan)))
            links.elevations.append(ends)
            links.sizes.append(size)
            about.pop("open", None)
            roughness = {"roughness": float(link.roughness)} if kind == "pipe" else {}
            links.said.append({"model_id": str(name), **roughness, **about})
    return links


def _heights(
    kind: str, link: Any, start: float, end: float, *, absolute: bool
) -> tuple[float, float]:
    """The inverts at both ends of a link, in the model's units."""

    def above(offset: Any, invert: float) -> float:
        if isinstance(offset, str):  # "*": at the invert
            return invert
        return max(invert, float(offset)) if absolute else invert + float(offset)

    if kind == "pipe":
        return above(link.offset_upstream, start), above(link.offset_downstream, end)
    if kind == "pump":
        return start, end
    crest = above(link.height_crest if kind == "weir" else link.offset, start)
    return crest, crest


def _size(
    sections: Mapping[str, Mapping[Any, Any]], link: str, approximate: Counter[str],
    natural: Counter[str], metre: float,
) -> tuple[tuple[Profile, float, float], dict[str, Value]]:  # fmt: skip
    """Profile, width and height of a link's cross-section, NaN where it has none; what else it is."""
    section = sections["XSECTIONS"].get(link)
    if section is None:
        return (Profile.CIRCLE, math.nan, math.nan), {}
    shape, height = str(section.shape), float(section.height)
    said: dict[str, Value] = {"shape": shape}
    if section.n_barrels > 1:
        said["barrels"] = int(section.n_barrels)
    if shape in ("IRREGULAR", "STREET"):
        width, height = _drawn_size(sections, section)
        said["top_width"], said["full_depth"] = round(width * metre, 4), round(height * metre, 4)
        said["open"] = True
        natural[shape] += 1
        return (Profile.BOX, math.nan, math.nan), said
    if shape == "CUSTOM":
        approximate[shape] += 1
        return (Profile.BOX, *_drawn_size(sections, section)), said
    entry = _shapes().get(shape)
    if entry is None:
        approximate[shape] += 1
        return (Profile.CIRCLE, math.nan, math.nan), said
    if not entry.get("exact", False):
        approximate[shape] += 1
    second = float(section.parameter_2)
    match entry["width"]:
        case "first":
            width = height
        case "second":
            # Without a second number the first is that of a table of trade sizes.
            width, height = (second, height) if second > 0 else (math.nan, math.nan)
        case "trapezoid":
            width = second + height * (float(section.parameter_3) + float(section.parameter_4))
        case part:
            width = part * height
    return (Profile[entry["profile"].upper()], width, height), {**said, "open": entry.get("open", False)}  # fmt: skip


def _drawn_size(sections: Mapping[str, Mapping[Any, Any]], section: Any) -> tuple[float, float]:
    """Width and height over all, in the model's units, of a shape that another section draws."""
    if section.shape == "CUSTOM":
        curve = sections["CURVES"].get(section.curve_name)
        widest = max((float(width) for _, width in curve.points), default=math.nan) if curve else math.nan  # fmt: skip
        return widest * float(section.height), float(section.height)
    if section.shape == "STREET":
        street = sections["STREETS"].get(section.street)
        if street is None:
            return math.nan, math.nan
        one = float(street.width_crown) + float(street.width_backing)
        rise = float(street.width_crown) * float(street.slope) / 100
        return one * int(street.sides), max(float(street.height_curb), rise)
    transect = sections["TRANSECTS"].get(section.transect)
    if transect is None or not transect.station_elevations:
        return math.nan, math.nan
    levels, stations = np.array(transect.station_elevations, float).T
    times = float(transect.modifier_stations) or 1.0
    return float(np.ptp(stations)) * times, float(np.ptp(levels))


def _class_of(sections: Mapping[str, Mapping[Any, Any]]) -> str:
    rain, dry = bool(sections["SUBCATCHMENTS"]), bool(sections["DWF"])
    return {(True, False): "YS", (False, True): "WS", (True, True): "HS"}.get((rain, dry), "PS")


def _drained(
    sections: Mapping[str, Mapping[Any, Any]], rows: Mapping[str, int], area: float, flow: float
) -> dict[int, dict[str, Value]]:
    """What flows in at nodes, by row: areas in hectares, dry weather flow in litres per second."""
    found: dict[int, dict[str, Value]] = {}
    parts = sections["SUBCATCHMENTS"]
    for part in parts.values():
        outlet, steps = str(part.outlet), 0
        while outlet not in rows and outlet in parts and steps < len(parts):
            outlet, steps = str(parts[outlet].outlet), steps + 1
        if outlet in rows:
            _add(found.setdefault(rows[outlet], {}), "drained_area", float(part.area) * area)
    for dry in sections["DWF"].values():
        if str(dry.constituent).upper() == "FLOW" and str(dry.node) in rows:
            _add(found.setdefault(rows[str(dry.node)], {}), "dry_weather_flow", float(dry.base_value) * flow)  # fmt: skip
    return found


def _add(values: dict[str, Value], name: str, more: float) -> None:
    before = values.get(name, 0.0)
    assert isinstance(before, int | float)
    values[name] = round(before + more, 6)


def _places(sections: Mapping[str, Mapping[Any, Any]], rows: Mapping[str, int]) -> Floats:
    places = np.full((len(rows), 2), np.nan)
    for name, point in sections["COORDINATES"].items():
        if (row := rows.get(str(name))) is not None:
            places[row] = point.x, point.y
    return places


def _bends(
    sections: Mapping[str, Mapping[Any, Any]], rows: Mapping[str, int]
) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Vertices of all links end to end, (k, 2), and where those of each begin, (m + 1,)."""
    vertices: list[Iterable[tuple[float, float]]] = [()] * len(rows)
    for name, line in sections["VERTICES"].items():
        if (row := rows.get(str(name))) is not None:
            vertices[row] = line.vertices
    counts = [len(list(points)) for points in vertices]
    drawn = [point for points in vertices for point in points]
    return np.array(drawn, float).reshape(-1, 2), np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])  # fmt: skip


@lru_cache
def _shapes() -> Mapping[str, Any]:
    text = files("pipelines").joinpath("swmm_shapes.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
