"""A water model as EPANET's files have it, in their own units, and the network it is."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats
from cim_core.network import Labels, Network, NodeKind, Nodes, Profile, Rows, Segments, Texts
from pipelines.model import Model, feature_ids, outer_of_neighbours

FOOT, INCH = 0.3048, 0.0254
_CUBIC_FOOT = FOOT**3 * 1000
_DAY = 86_400.0

LITRES_PER_SECOND = {
    "CFS": _CUBIC_FOOT,
    "GPM": 3.785411784 / 60,
    "MGD": 3.785411784e6 / _DAY,
    "IMGD": 4.54609e6 / _DAY,
    "AFD": 43_560 * _CUBIC_FOOT / _DAY,
    "LPS": 1.0,
    "LPM": 1 / 60,
    "MLD": 1e6 / _DAY,
    "CMH": 1 / 3.6,
    "CMD": 1000 / _DAY,
    "CMS": 1000.0,
}
"""One of each flow unit of EPANET and SWMM; feet are counted with the first five."""

_OF_US = ("CFS", "GPM", "MGD", "IMGD", "AFD")

NODE_TYPES = ("junction", "reservoir", "tank")
"""By EPANET's numbers."""

LINK_TYPES = ("CV", "pipe", "pump", "PRV", "PSV", "PBV", "FCV", "TCV", "GPV", "PCV")
"""By EPANET's numbers: a pipe with a check valve, a pipe, a pump, and the kinds of valve."""

_ONE_WAY = ("CV", "pump", "PRV", "PSV", "FCV")


@dataclass(frozen=True, slots=True)
class WaterModel:
    """What stands in a model's file; n nodes and m links, in the order of EPANET.

    flow_unit
        One of `LITRES_PER_SECOND`; it says what lengths and diameters are in, too.
    nodes, links, node_types, link_types, tags
        (n,) and (m,) ids, `NODE_TYPES` and `LINK_TYPES`; tags by "NODE" or "LINK" and id.
    places
        (n, 2) coordinates; NaN where the file has none.
    elevations
        (n,) of junctions and tanks; of a reservoir it is the head.
    demands
        (n,) on average, in flow units: base demand by the mean of its pattern, all categories.
    tanks
        (n, 3) diameter, lowest and highest level; 0 where a node is no tank.
    starts, ends
        (m,) rows of nodes.
    lengths, diameters, roughness, minor
        (m,) NaN where a kind of link has none.
    settings
        (m,) of valves, else NaN.
    closed, controlled
        (m,) closed at the start, and named in a control or rule.
    bends, bend_starts
        As `Segments` has them, in coordinates.
    """

    flow_unit: str
    nodes: Texts
    node_types: NDArray[np.int64]
    places: Floats
    elevations: Floats
    demands: Floats
    tanks: Floats
    links: Texts
    link_types: NDArray[np.int64]
    starts: Rows
    ends: Rows
    lengths: Floats
    diameters: Floats
    roughness: Floats
    minor: Floats
    settings: Floats
    closed: NDArray[np.bool_]
    controlled: NDArray[np.bool_]
    bends: Floats
    bend_starts: Rows
    map_unit: str
    tags: dict[tuple[str, str], str] = field(default_factory=dict)


def in_feet(flow_unit: str) -> bool:
    """Whether a model that counts flows so has its lengths in feet.

    >>> in_feet("GPM"), in_feet("LPS")
    (True, False)
    """
    return flow_unit in _OF_US


def water_network(model: WaterModel, pipe_class: str) -> Model:
    """The network of a model, in metres and litres per second, at the model's coordinates.

    Elevations are of the axis. A reservoir's number is its water level, so that a link is as high
    there as at its other end. A link is closed that nothing ever opens: closed at the start, and
    in no control. Pumps, check valves and valves that hold a pressure or a flow are passed one way.
    """
    metre, calibre = (FOOT, INCH) if in_feet(model.flow_unit) else (1.0, 0.001)
    types = np.array(LINK_TYPES, object)[model.link_types]
    kinds = np.where(np.isin(types, ("CV", "pipe")), "pipe", np.where(types == "pump", "pump", "valve"))  # fmt: skip
    widths = model.diameters * calibre
    widths, widened = _plausible(model, widths, kinds == "valve")
    levels = np.where(model.node_types == NODE_TYPES.index("reservoir"), np.nan, model.elevations)
    heights = levels[np.column_stack([model.starts, model.ends])] * metre
    heights = np.where(np.isnan(heights), heights[:, ::-1], heights)
    node_ids, segment_ids = feature_ids(model.nodes, model.links)
    count = len(model.nodes)
    sources = np.isin(model.node_types, (1, 2))
    nodes = replace(
        Nodes.bare(node_ids, model.places),
        kinds=np.where(sources, NodeKind.SOURCE, NodeKind.JOINT).astype(np.int8),
        features=Labels.of(NODE_TYPES[kind] for kind in model.node_types.tolist()),
        demand=np.where(
            sources, np.nan, model.demands * LITRES_PER_SECOND[model.flow_unit]
        ),
    )  # fmt: skip
    segments = replace(
        Segments.bare(segment_ids, model.starts, model.ends),
        bends=model.bends,
        bend_starts=model.bend_starts,
        elevations=heights,
        profiles=np.full(len(model.links), Profile.CIRCLE, np.int8),
        widths=widths,
        heights=widths,
        lengths=model.lengths * metre,
        flows=np.isin(types, _ONE_WAY).astype(np.int8),
        closed=model.closed & ~model.controlled,
        classes=Labels.of([pipe_class] * len(model.links)),
        kinds=Labels.of(kinds.tolist()),
        statuses=Labels.of("closed" if closed else "open" for closed in model.closed.tolist()),
    )
    warnings = []
    if widened:
        warnings.append(
            f"{widened} valves are wider than the pipes beside them; they are drawn as wide as those"
        )
    said = {
        **{node_ids[row]: _said_of_node(model, row, metre) for row in range(count)},
        **{segment_ids[row]: _said_of_link(model, row, calibre) for row in range(len(model.links))},
    }
    return Model(Network(nodes, segments), said, model.map_unit, metre, warnings)


def _plausible(model: WaterModel, widths: Floats, valves: NDArray[np.bool_]) -> tuple[Floats, int]:
    """Widths (m,), and of how many valves they are not the model's own.

    Programs that write such files give a valve a huge diameter where it shall lose no head.
    """
    beside = outer_of_neighbours(model.starts, model.ends, np.where(valves, np.nan, widths), len(model.nodes))  # fmt: skip
    too_wide = valves & (widths > beside)
    return np.where(too_wide, beside, widths), int(too_wide.sum())


def _said_of_node(model: WaterModel, row: int, metre: float) -> dict[str, str | float]:
    name = str(model.nodes[row])
    said: dict[str, str | float] = {
        "model_id": name, "elevation": round(float(model.elevations[row]) * metre, 4),
    }  # fmt: skip
    if model.node_types[row] == NODE_TYPES.index("tank"):
        diameter, lowest, highest = np.round(model.tanks[row] * metre, 4).tolist()
        said |= {"tank_diameter": diameter, "lowest_level": lowest, "highest_level": highest}
    if tag := model.tags.get(("NODE", name)):
        said["tag"] = tag
    return said


def _said_of_link(model: WaterModel, row: int, calibre: float) -> dict[str, str | float]:
    name = str(model.links[row])
    kind = LINK_TYPES[model.link_types[row]]
    said: dict[str, str | float] = {
        "model_id": name,
        "roughness": float(model.roughness[row]),
        "minor_loss": float(model.minor[row]),
    }
    if kind == "CV":
        said["check_valve"] = "yes"
    elif kind not in ("pipe", "pump"):
        said |= {
            "valve_type": kind,
            "setting": float(model.settings[row]),
            "valve_diameter": round(float(model.diameters[row]) * calibre * 1000, 3),
        }
    if model.controlled[row]:
        said["controlled"] = "yes"
    if tag := model.tags.get(("LINK", name)):
        said["tag"] = tag
    return said
