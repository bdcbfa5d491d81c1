"""A pipe network: nodes and segments in arrays, before anything is drawn or asked of them.

Places are longitude and latitude in degrees, heights metres in the city's vertical datum, sizes and
lengths metres. A number that is not known is NaN, a text that is not known has the code -1, a row
that is not known is -1.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from cim_core.frame import Frame
from cim_core.mesh import Floats

_E2 = 0.00669438
"""The square of the eccentricity of the earth's ellipsoid."""

Rows = NDArray[np.int64]
Texts = NDArray[np.object_]


class Reference(IntEnum):
    """What of a segment the surveyed elevations are those of."""

    AXIS = 0
    INVERT = 1
    """The lowest point inside: drainage (管底)."""
    TOP = 2
    """The highest point outside: pressure pipes, cables and ducts (管顶)."""


class Profile(IntEnum):
    """The shape of a segment's cross-section."""

    CIRCLE = 0
    BOX = 1
    """A rectangular conduit or a trench."""
    DUCTS = 2
    """A block of round ducts; its width and height are those of the block."""


class NodeKind(IntEnum):
    """What a node does in its network; what it is in the words of its source is `Nodes.features`."""

    JOINT = 0
    """A point of the survey without anything in it: bends, tees, reducers, ends."""
    WELL = 1
    """A manhole, an inspection or hand well, an inlet: a shaft one can look into."""
    VALVE = 2
    HYDRANT = 3
    SOURCE = 4
    """Whatever feeds the network: a works, a reservoir, a tank, a station."""
    OUTFALL = 5
    """Where it leaves the network."""
    DEVICE = 6
    """Any other appurtenance: a meter, a lamp, a cabinet."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Texts of few different values, one for each row: `names[codes[row]]`, -1 for none.

    >>> Labels.of(["PE", "", "PE"]).codes.tolist()
    [0, -1, 0]
    """

    names: tuple[str, ...]
    codes: NDArray[np.int32]

    @classmethod
    def of(cls, texts: Iterable[str | None]) -> "Labels":
        """Labels of texts, numbered in their order of appearance; empty ones are none."""
        known: dict[str, int] = {}
        codes = [known.setdefault(text, len(known)) if text else -1 for text in texts]
        return cls(tuple(known), np.array(codes, np.int32))

    @classmethod
    def none(cls, count: int) -> "Labels":
        """No text for any of `count` rows."""
        return cls((), np.full(count, -1, np.int32))

    def __getitem__(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Labels":
        return Labels(self.names, self.codes[rows])

    def __len__(self) -> int:
        return len(self.codes)

    def text(self, row: int) -> str:
        """The text of a row, empty for none."""
        code = int(self.codes[row])
        return self.names[code] if code >= 0 else ""

    def texts(self) -> Texts:
        """The text of each row, (n,), empty for none."""
        return np.array([*self.names, ""], object)[self.codes]

    def are(self, *names: str) -> NDArray[np.bool_]:
        """Which rows have one of some texts, (n,)."""
        wanted = [code for code, name in enumerate(self.names) if name in names]
        return np.isin(self.codes, wanted)


@dataclass(frozen=True, slots=True)
class Nodes:
    """The points of a network, n of them.

    ids
        (n,) their ids as features of the layer, all different.
    places
        (n, 2) longitude and latitude.
    ground, bottom
        (n,) the elevation of the ground or the cover, and of the floor of a well.
    kinds
        (n,) of `NodeKind`, int8.
    features
        What the source calls them: 阀门, 三通, "junction".
    turns
        (n,) degrees counter-clockwise from east that a device is turned.
    demand, users
        (n,) what is drawn from the network here, litres per second, and how many customers that is.
    """

    ids: Texts
    places: Floats
    ground: Floats
    bottom: Floats
    kinds: NDArray[np.int8]
    features: Labels
    turns: Floats
    demand: Floats
    users: Floats

    @classmethod
    def bare(cls, ids: Sequence[str], places: Floats) -> "Nodes":
        """Joints of which nothing is known but where they are."""
        count = len(ids)
        unknown = np.full(count, np.nan)
        return cls(
            np.array(ids, object), places, unknown, unknown, np.zeros(count, np.int8),
            Labels.none(count), unknown, unknown, unknown,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Segments:
    """The pipes, conduits and cables between nodes, m of them.

    ids
        (m,) their ids as features of the layer, all different.
    starts, ends
        (m,) rows of the nodes.
    bends, bend_starts
        (k, 2) longitude and latitude of the vertices between the nodes, of all segments end to end,
        and (m + 1,) where those of each begin; elevations run evenly between the ends.
    elevations
        (m, 2) at the start and the end, of what `references` says.
    references, profiles
        (m,) of `Reference` and `Profile`, int8.
    widths, heights
        (m,) of the clear cross-section, the diameter of a circle in both; of a block of ducts its
        outside.
    walls
        (m,) how thick the wall is; NaN where it is not known and then counted as nothing.
    ducts
        (m, 2) columns and rows of a block of ducts, int16; 0 where there are none.
    duct_sizes
        (m,) the clear diameter of one duct.
    lengths
        (m,) along the segment, as surveyed or else as it lies.
    flows
        (m,) int8: 1 from start to end, -1 from end to start, 0 for either way or unknown.
    closed
        (m,) what nothing passes: a closed link.
    classes
        The sub-class of CJJ 61 by its letters: "JP", "YS"; or a name of the model's own.
    kinds
        "pipe", "pump", "valve", "weir", "orifice": what a link is in a model.
    materials, burials, statuses, owners, roads
        In the words of the source's dictionary.
    years
        (m,) when it was laid, 0 for not known, int16.
    pressures
        What class of pressure or voltage it is made for, in the words of the source.
    """

    ids: Texts
    starts: Rows
    ends: Rows
    bends: Floats
    bend_starts: Rows
    elevations: Floats
    references: NDArray[np.int8]
    profiles: NDArray[np.int8]
    widths: Floats
    heights: Floats
    walls: Floats
    ducts: NDArray[np.int16]
    duct_sizes: Floats
    lengths: Floats
    flows: NDArray[np.int8]
    closed: NDArray[np.bool_]
    classes: Labels
    kinds: Labels
    materials: Labels
    burials: Labels
    statuses: Labels
    owners: Labels
    roads: Labels
    years: NDArray[np.int16]
    pressures: Labels

    @classmethod
    def bare(cls, ids: Sequence[str], starts: Rows, ends: Rows) -> "Segments":
        """Straight round pipes of which nothing is known but what they connect."""
        count = len(ids)
        unknown, none = np.full(count, np.nan), Labels.none(count)
        return cls(
            ids=np.array(ids, object), starts=starts, ends=ends, bends=np.empty((0, 2)),
            bend_starts=np.zeros(count + 1, np.int64), elevations=np.full((count, 2), np.nan),
            references=np.zeros(count, np.int8), profiles=np.zeros(count, np.int8),
            widths=unknown, heights=unknown, walls=unknown, ducts=np.zeros((count, 2), np.int16),
            duct_sizes=unknown, lengths=unknown, flows=np.zeros(count, np.int8),
            closed=np.zeros(count, bool), classes=none, kinds=none, materials=none, burials=none,
            statuses=none, owners=none, roads=none, years=np.zeros(count, np.int16), pressures=none,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def outer(self) -> Floats:
        """(m, 2) width and height over all, walls included; NaN where the size is not known."""
        wall = np.nan_to_num(self.walls)
        return np.column_stack([self.widths + 2 * wall, self.heights + 2 * wall])

    @property
    def axes(self) -> Floats:
        """(m, 2) elevations of the middle line at the start and the end.

        A size that is not known counts as nothing.
        """
        wall = np.nan_to_num(self.walls)
        clear = np.nan_to_num(self.heights)
        lift = np.select(
            [self.references == Reference.INVERT, self.references == Reference.TOP],
            [clear / 2, -(clear / 2 + wall)],
            0.0,
        )
        axes: Floats = self.elevations + lift[:, None]
        return axes


@dataclass(frozen=True, slots=True)
class Valves:
    """Where a network can be shut: each valve cuts one or several segments from a node.

    ids
        (k,) of the valves, in the words of whoever closes them.
    segments, nodes, valves
        (c,) what is cut: the row of a segment, the row of the node at one of its ends, and the row
        of the valve that does it.
    """

    ids: Texts
    segments: Rows
    nodes: Rows
    valves: Rows

    def __len__(self) -> int:
        return len(self.ids)


NO_VALVES = Valves(
    np.empty(0, object), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64)
)


@dataclass(frozen=True, slots=True)
class Pieces:
    """The straight pieces of segments, p of them, each from one vertex to the next.

    segments
        (p,) the row of the segment.
    ends
        (p, 2, 3) longitude, latitude and elevation of the middle line at both ends.
    """

    segments: Rows
    ends: Floats

    def flat(self, frame: Frame) -> Floats:
        """(p, 2, 3) metres east and north in the plane of a frame, and the elevation as it is.

        Distances are right within a few millionths up to 20 km from the frame's anchor.
        """
        plane = flat(self.ends[..., :2].reshape(-1, 2), frame)
        return np.concatenate([plane.reshape(-1, 2, 2), self.ends[..., 2:]], axis=-1)


@dataclass(frozen=True, eq=False)
class Network:
    """A pipe network; `valves` are all that can be closed by hand, see `NodeKind.VALVE`."""

    nodes: Nodes
    segments: Segments
    valves: Valves = field(default=NO_VALVES)

    def pieces(self) -> Pieces:
        """The straight pieces of all segments, in their order."""
        segments = self.segments
        inner = np.diff(segments.bend_starts)
        counts = inner + 1
        owner = np.repeat(np.arange(len(segments)), counts + 1)
        first = np.concatenate([[0], np.cumsum(counts + 1)])
        points = np.empty((int(first[-1]), 2))
        points[first[:-1]] = self.nodes.places[segments.starts]
        points[first[1:] - 1] = self.nodes.places[segments.ends]
        within = np.ones(len(points), bool)
        within[first[:-1]] = within[first[1:] - 1] = False
        points[within] = segments.bends
        shares = _shares(points, owner, first)
        axes = segments.axes[owner]
        heights = axes[:, 0] + shares * (axes[:, 1] - axes[:, 0])
        vertices = np.column_stack([points, heights])
        begin = np.ones(len(points), bool)
        begin[first[1:] - 1] = False
        rows = np.flatnonzero(begin)
        return Pieces(owner[rows], np.stack([vertices[rows], vertices[rows + 1]], axis=1))


def flat(lon_lat: Floats, frame: Frame) -> Floats:
    """(n, 2) degrees → (n, 2) metres east and north in the plane of a frame."""
    level = np.full(len(lon_lat), frame.height)
    found: Floats = frame.from_geographic(np.column_stack([lon_lat, level]))[:, :2]
    return found


def _shares(points: Floats, owner: Rows, first: Rows) -> Floats:
    """How far along its segment each vertex lies, 0 to 1, (v,)."""
    step = np.zeros(len(points))
    scale = np.array([1.0, 1.0])
    if len(points):
        latitude = np.radians(points[0, 1])
        # The radii across and along the meridian differ: by 0.6 % at 20 degrees.
        scale[0] = np.cos(latitude) * (1 - _E2 * np.sin(latitude) ** 2) / (1 - _E2)
    step[1:] = np.linalg.norm(np.diff(points, axis=0) * scale, axis=1)
    step[first[:-1]] = 0.0
    along = np.cumsum(step)
    along -= along[first[:-1]][owner]
    total = along[first[1:] - 1][owner]
    shares = np.divide(along, total, out=np.zeros(len(along)), where=total > 0)
    shares[first[1:] - 1] = 1.0  # of a riser as well, whose ends are at one place
    return shares
