"""How congested roads are: links, corridors and H3 cells, by bins of time, from what vehicles did."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from analysis.traffic.congestion_index import (
    ROAD_CLASSES,
    Definition,
    Ratios,
    counted,
    definition_named,
    ratios,
)
from analysis.traffic.congestion_sums import Pieces, Sums, added, counting, pieces, summed
from analysis.traffic.lanes import lane_map
from cim_core.cells import FINEST, Cells, cell_names, cells_of
from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.mesh import Floats
from cim_core.progress import Progress
from cim_core.store.layers import LayerVersion
from cim_core.traffic.moving import Positions, joined
from cim_core.traffic.roads import Link, RoadMap

By = Literal["link", "corridor", "h3"]
Rows = NDArray[np.int64]
Lines = Mapping[tuple[str, str], tuple[Link, ...]]
"""The links of each row's name, from their beginning to their end."""

_AT_ONCE = 300_000
"""Milliseconds of positions that are looked at together, of which only those that count are kept."""

_MOST_BINS = 10_000
_LONGEST_BIN = 86_400
_PLACES = 1e5
"""Places are told apart by the metre where their cells are looked for: who stands is asked once."""


@dataclass(frozen=True)
class RoadStates:
    """How roads were in each bin, n rows by place and bin; only what somebody drove on is there.

    names
        (m,) what `sums.places` are numbers of: (layer, id of a link or name of a corridor); of
        cells, ("", the cell's name).
    vehicles
        (n,) how many different vehicles were seen.
    classes
        (n,) the highest class of the roads of each, the place in `ROAD_CLASSES`.
    worst
        (n,) of cells: the row in `directed` of the link that is worst there, else -1.
    directed
        Of cells, the states by cell and link: opposite directions of a road have one cell.
    """

    by: By
    start: int
    end: int
    bin_s: int
    resolution: int | None
    definition: Definition
    versions: tuple[LayerVersion, ...]
    names: tuple[tuple[str, str], ...]
    links: Lines
    sums: Sums
    vehicles: Rows
    classes: NDArray[np.int8]
    worst: Rows
    directed: "RoadStates | None" = None

    @cached_property
    def ratios(self) -> Ratios:
        """What the sums come to; NaN where too little was seen."""
        sums = self.sums
        enough = sums.seconds >= counted()["least"]
        return ratios(sums.metres, np.where(enough, sums.seconds, 0.0), sums.free_seconds)

    @property
    def total(self) -> Ratios:
        """What all of it comes to together, (1,)."""
        sums = self.sums
        columns = (sums.metres, sums.seconds, sums.free_seconds)
        return ratios(*(np.array([column.sum()]) for column in columns))

    @cached_property
    def states(self) -> NDArray[np.int8]:
        """The place of each state in the definition's, (n,), -1 where too little was seen."""
        return self.definition.states_of(self.ratios, self.classes)

    @cached_property
    def indices(self) -> Floats:
        """The index of the definition, (n,), NaN where there is none."""
        return self.definition.indices(self.ratios)

    def rows(self) -> list[dict[str, Any]]:
        """Each row as it is served; times are milliseconds since 1970, what is not known is None."""
        states = [one.id for one in self.definition.states]
        measured = (
            self.ratios.tti, self.ratios.dtp, self.indices, self.ratios.speeds,
            self.ratios.free_speeds,
        )  # fmt: skip
        figures = [[_known(x) for x in column.tolist()] for column in measured]
        found = []
        for row, place in enumerate(self.sums.places.tolist()):
            layer, name = self.names[place]
            number = int(self.states[row])
            told: dict[str, Any] = (
                {"cell": name} if self.by == "h3" else {"layer": layer, "id": name}
            )
            told |= {"start": int(self.sums.bins[row])}
            told |= {
                key: column[row]
                for key, column in zip(("tti", "dtp", "tpi", "speed", "free_speed"), figures, strict=True)
            }  # fmt: skip
            told |= {"state": states[number] if number >= 0 else None}
            told |= {"vehicles": int(self.vehicles[row])}
            if self.directed is not None:
                told["worst"] = self._worst(int(self.worst[row]))
            found.append(told)
        return found

    def lines(self) -> dict[str, dict[str, Any]]:
        """The geometry of each link or corridor, GeoJSON by "layer/id"; none of cells."""
        if self.by == "h3":
            return {}
        used = sorted({self.names[place] for place in self.sums.places.tolist()})
        return {"/".join(name): _geometry(self.links[name]) for name in used}

    def _worst(self, row: int) -> dict[str, Any]:
        assert self.directed is not None
        layer, name = self.directed.names[int(self.directed.sums.places[row])]
        state = int(self.directed.states[row])
        return {
            "layer": layer, "link": name, "dtp": _known(float(self.directed.ratios.dtp[row])),
            "state": self.definition.states[state].id if state >= 0 else None,
        }  # fmt: skip


def road_states(
    city: City, layer: str | None, start: int, end: int, bin_s: int, by: By,
    resolution: int | None, progress: Progress, definition: str | None = None,
) -> RoadStates:  # fmt: skip
    """How roads were, start ≤ time < end, milliseconds since 1970, in bins of so many seconds.

    layer
        Of its road map alone; None for all that are seen.
    resolution
        Of the cells; None for the usual one.
    definition
        One of `congestion.toml`; None for that of GB/T 33171.

    Raises `InvalidInput`, and `NotFound` for a layer without a road map.
    """
    measure = definition_named(definition)
    fine = _resolution(by, resolution)
    _check(start, end, bin_s)
    maps = city.road_maps()
    if layer is not None:
        city.layers.get(layer)
        if layer not in maps:
            raise NotFound(
                f"the layer {layer!r} has no road map that you see as a whole; name one that has"
            )
        maps = {layer: maps[layer]}
    gathered = _Gathered(by, fine, start, bin_s)
    steps = range(start, end, _AT_ONCE)
    reach = round(1000 * counted()["gap"])
    tick = round(1000 * counted()["step"])
    for number, (name, (_, roads)) in enumerate(maps.items()):
        lanes = lane_map(roads)
        for step, begin in enumerate(steps):
            progress(number * len(steps) + step, len(maps) * len(steps), "looking at vehicles")
            stop = min(begin + _AT_ONCE, end)
            # From the tick on in which it begins: what counts of it may be of the piece before.
            whole = city.traffic.pieces(name, Positions, begin // tick * tick, stop + reach)
            positions = joined(
                [counting(x) for x in whole],
                Positions,
            )
            if len(positions):
                some = pieces(lanes, positions)
                some = some.take((some.times >= begin) & (some.times < stop))
                gathered.add(name, roads, some, positions.who.names)
    versions = tuple(version for version, _ in maps.values())
    return gathered.states(end, measure, versions)


class _Gathered:
    """What comes together piece by piece, by link or by cell and link."""

    def __init__(self, by: By, resolution: int | None, start: int, bin_s: int) -> None:
        self._by, self._resolution, self._start, self._bin = by, resolution, start, 1000 * bin_s
        self._links: dict[tuple[str, str], int] = {}
        self._known: list[Link] = []
        self._cells: dict[int, int] = {}
        self._whos: dict[tuple[str, str], int] = {}
        self._sums: list[Sums] = []
        self._cell_of: list[Rows] = []
        self._seen: list[Rows] = []

    def add(self, layer: str, roads: RoadMap, some: Pieces, names: tuple[str, ...]) -> None:
        """Some pieces of a layer; `names` are the vehicles' whose codes they have."""
        used = np.unique(some.links)
        numbers = np.full(len(roads.links) + 1, -1, np.int64)
        for row in used.tolist():
            link = roads.links[row]
            if (layer, link.id) not in self._links:
                self._known.append(link)
            numbers[row] = self._links.setdefault((layer, link.id), len(self._links))
        codes = np.unique(some.who)
        whos = np.full(len(names), -1, np.int64)
        for code in codes.tolist():
            whos[code] = self._whos.setdefault((layer, names[code]), len(self._whos))
        places = numbers[some.links]
        bins = self._start + (some.times - self._start) // self._bin * self._bin
        if self._by == "h3":
            places = places + (self._cell_numbers(some) << 32)
        self._sums.append(summed(places, bins, some.metres, some.seconds, some.free_seconds))
        self._seen.append(np.unique(np.stack([places, bins, whos[some.who]]), axis=1))

    def states(
        self, end: int, measure: Definition, versions: tuple[LayerVersion, ...]
    ) -> RoadStates:
        """All of it."""
        seen = np.concatenate([np.empty((3, 0), np.int64), *self._seen], axis=1)
        sums = added(self._sums)
        names = tuple(self._links)
        links: Lines = {name: (link,) for name, link in zip(names, self._known, strict=True)}
        classes = np.array([ROAD_CLASSES.index(x.road_class) for x in self._known], np.int8)
        whole = (self._start, end, self._bin // 1000, self._resolution, measure, versions)
        if self._by == "link":
            return _grouped("link", whole, names, links, sums, seen, np.arange(len(names)), classes)
        if self._by == "corridor":
            return self._corridors(whole, names, links, sums, seen, classes)
        return self._by_cell(whole, names, links, sums, seen, classes)

    def _corridors(
        self, whole: Any, names: tuple[tuple[str, str], ...],
        links: Lines, sums: Sums, seen: Rows,
        classes: NDArray[np.int8],
    ) -> RoadStates:  # fmt: skip
        corridors: dict[tuple[str, str], int] = {}
        members: dict[tuple[str, str], tuple[Link, ...]] = {}
        numbers = np.full(len(names), -1, np.int64)
        for row, (layer, _) in enumerate(names):
            link = self._known[row]
            if link.corridor:
                key = (layer, link.corridor)
                numbers[row] = corridors.setdefault(key, len(corridors))
                members[key] = (*members.get(key, ()), link)
        return _grouped("corridor", whole, tuple(corridors), members, sums, seen, numbers, classes)

    def _by_cell(
        self, whole: Any, names: tuple[tuple[str, str], ...],
        links: Lines, sums: Sums, seen: Rows,
        classes: NDArray[np.int8],
    ) -> RoadStates:  # fmt: skip
        """By cell, each made of the sums of the links in it, and these beside it."""
        both = np.unique(sums.places)
        rows, link_rows = both >> 32, both & 0xFFFFFFFF
        order = np.searchsorted(both, sums.places), np.searchsorted(both, seen[0])
        by_link = Sums(order[0], sums.bins, sums.metres, sums.seconds, sums.free_seconds)
        of_link = np.stack([order[1], seen[1], seen[2]])
        directed = _grouped(
            "link", whole, tuple(names[row] for row in link_rows.tolist()), links, by_link, of_link,
            np.arange(len(both)), classes[link_rows],
        )  # fmt: skip
        cells = cell_names(np.array(list(self._cells), np.uint64))
        found = _grouped(
            "h3", whole, tuple(("", cell) for cell in cells), {}, by_link, of_link, rows,
            classes[link_rows],
        )  # fmt: skip
        # The worst comes last among the rows of one cell and bin.
        delay = np.nan_to_num(directed.ratios.dtp, nan=-1.0)
        at = directed.sums
        last = np.lexsort((delay, at.bins, rows[at.places]))
        keys = np.stack([rows[at.places][last], at.bins[last]], axis=1)
        ends = np.flatnonzero(np.append((keys[1:] != keys[:-1]).any(axis=1), True)[: len(keys)])
        return RoadStates(**{**vars(found), "worst": last[ends], "directed": directed})

    def _cell_numbers(self, some: Pieces) -> Rows:
        assert self._resolution is not None
        places = np.round(np.stack([some.lon, some.lat], axis=1) * _PLACES).astype(np.int64)
        flat, inverse = np.unique(
            places[:, 0] << 32 | places[:, 1] & 0xFFFFFFFF, return_inverse=True
        )
        rounded = np.stack([flat >> 32, (flat & 0xFFFFFFFF).astype(np.int32)], axis=1) / _PLACES
        cells: Cells = cells_of(rounded, self._resolution)
        numbers = [self._cells.setdefault(cell, len(self._cells)) for cell in cells.tolist()]
        return np.array(numbers, np.int64)[inverse]


def _grouped(
    by: By, whole: Any, names: tuple[tuple[str, str], ...],
    links: Lines, sums: Sums, seen: Rows, numbers: Rows,
    classes: NDArray[np.int8],
) -> RoadStates:  # fmt: skip
    """Sums, and who was seen, by the numbers (m,) that their places have; -1 leaves out.

    seen
        (3, k) place, bin and vehicle, each once.
    """
    start, end, bin_s, resolution, measure, versions = whole
    kept = numbers[sums.places] >= 0
    rows = numbers[sums.places[kept]]
    found = summed(
        rows, sums.bins[kept], sums.metres[kept], sums.seconds[kept], sums.free_seconds[kept]
    )
    seen = seen[:, numbers[seen[0]] >= 0]
    once = np.unique(np.stack([numbers[seen[0]], seen[1], seen[2]]), axis=1)
    pairs, vehicles = np.unique(once[:2], axis=1, return_counts=True)
    assert pairs.shape[1] == len(found)  # both are in the order of place and bin
    highest = np.full(len(names), len(ROAD_CLASSES) - 1, np.int8)
    held = numbers >= 0
    np.minimum.at(highest, numbers[held], classes[held])
    return RoadStates(
        by, start, end, bin_s, resolution if by == "h3" else None, measure, versions, names, links,
        found, vehicles, highest[found.places], np.full(len(found), -1, np.int64),
    )  # fmt: skip


def _resolution(by: By, resolution: int | None) -> int | None:
    if by != "h3":
        return None
    found = int(counted()["resolution"]) if resolution is None else resolution
    if not 0 <= found <= FINEST:
        raise InvalidInput(f"resolution={found} is none of H3; give 0 to {FINEST}")
    return found


def _check(start: int, end: int, bin_s: int) -> None:
    if not 0 <= start < end:
        raise InvalidInput("the window ends before it begins; give an end that is later than start")
    if not 1 <= bin_s <= _LONGEST_BIN:
        raise InvalidInput(f"bin={bin_s} is no length of a bin; give 1 to {_LONGEST_BIN} seconds")
    if (end - start) / (1000 * bin_s) > _MOST_BINS:
        raise InvalidInput(
            f"that is more than {_MOST_BINS} bins; give a shorter window or longer bins"
        )


def _geometry(links: tuple[Link, ...]) -> dict[str, Any]:
    lines = [[list(place) for place in link.line] for link in links]
    if len(lines) == 1:
        return {"type": "LineString", "coordinates": lines[0]}
    return {"type": "MultiLineString", "coordinates": lines}


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
