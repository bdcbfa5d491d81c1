"""What an intersection is measured by: its movements, approaches, lanes or phases."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from analysis.traffic.lanes import Counts, Ints
from analysis.traffic.measures_scene import Scene
from cim_core.errors import InvalidInput
from cim_core.feature import Value
from cim_core.table import Column

By = Literal["movement", "approach", "lane", "phase"]

_LINK = Column("link", {"en": "Link", "zh": "路段"}, "text")
_APPROACH = Column("approach", {"en": "Approach", "zh": "进口道"}, "text")
KEYS: dict[By, tuple[Column, ...]] = {
    "movement": (
        Column("movement", {"en": "Movement", "zh": "流向"}, "text"), _LINK, _APPROACH,
        Column("turn", {"en": "Turn", "zh": "转向"}, "text"),
    ),
    "approach": (_APPROACH, _LINK),
    "lane": (Column("lane", {"en": "Lane", "zh": "车道"}, "text"), _LINK, _APPROACH),
    "phase": (Column("phase", {"en": "Signal group", "zh": "信号灯组"}, "text"),),
}  # fmt: skip
"""The columns that say what a row is of."""


@dataclass(frozen=True, eq=False, slots=True)
class Part:
    """One movement, approach, lane or phase.

    keys
        Its cells under `KEYS`.
    lanes
        Rows of the lanes that lead to its stop line.
    group
        The number of the signal group that most of its vehicles obey, -1 without.
    """

    keys: tuple[Value, ...]
    lanes: Counts
    group: int


def parts(scene: Scene, by: By) -> tuple[list[Part], Ints]:
    """The parts of an intersection, and for each of its stays to which it belongs, -1 for none.

    A stay that did not end with a crossing belongs to no movement and no phase. Raises
    `InvalidInput` for what it cannot be measured by.
    """
    if by not in get_args(By):
        raise InvalidInput(f"by={by!r} is unknown; give one of {', '.join(get_args(By))}")
    way_key, of_stays, keys = _labels(scene, by)
    known = {key: number for number, key in enumerate(keys)}
    of = np.array([known.get(key, -1) for key in of_stays], np.int32)
    result = []
    for key, cells in keys.items():
        ways = scene.connections[[way_key[row] == key for row in scene.connections.tolist()]]
        lanes = np.unique(scene.lanes.from_lanes[ways]).astype(np.int64)
        if by == "lane":
            lanes = np.array([scene.lanes.lane_rows[key]])
        elif by == "approach":
            own = scene.lanes.link_of_lane[scene.approach_lanes] == scene.lanes.link_rows[key]
            lanes = scene.approach_lanes[own]
        result.append(Part(cells, lanes, _group(scene, ways, of == known[key])))
    return result, of


def _labels(scene: Scene, by: By) -> tuple[dict[int, str], list[str], dict[str, tuple[Value, ...]]]:
    """The part of each connection and of each stay, and the cells of each part in their order."""
    roads, stays = scene.lanes.roads, scene.stays
    names = {one.link: one.name or one.link for one in scene.intersection.approaches}
    links = [roads.links[row].id for row in scene.approach_links.tolist()]
    ways = [(row, roads.connections[row]) for row in scene.connections.tolist()]
    link_of = {row: roads.lane_by_id[way.from_lane].link for row, way in ways}
    if by == "approach":
        return (
            link_of,
            [roads.links[row].id for row in stays.links.tolist()],
            {link: (names.get(link, link), link) for link in links},
        )
    if by == "lane":
        own = [roads.lanes[row] for row in scene.approach_lanes.tolist()]
        own.sort(key=lambda lane: (links.index(lane.link), lane.number))
        return (
            {row: way.from_lane for row, way in ways},
            [roads.lanes[row].id for row in stays.lanes.tolist()],
            {x.id: (x.id, x.link, names.get(x.link, x.link)) for x in own},
        )
    if by == "phase":
        of_way = {row: way.group or "" for row, way in ways}
        groups = [one.id for one in roads.groups_of(scene.intersection.id)]
        used = [group for group in groups if group in of_way.values()]
        cells: dict[str, tuple[Value, ...]] = {group: (group,) for group in used}
    else:
        of_way = {row: f"{link_of[row]}>{way.turn}" for row, way in ways}
        order = sorted(ways, key=lambda x: (links.index(link_of[x[0]]), _TURNS.index(x[1].turn)))
        cells = {
            of_way[row]: (of_way[row], link, names.get(link, link), way.turn)
            for row, way in order
            for link in (link_of[row],)
        }
    return of_way, [of_way.get(row, "") for row in stays.connections.tolist()], cells


_TURNS = ("left", "straight", "right", "uturn")


def _group(scene: Scene, ways: Ints, stays: NDArray[np.bool_]) -> int:
    """The signal group of some connections that most of the stays obeyed; the first of several."""
    groups = scene.groups[ways]
    groups = groups[groups >= 0]
    if not len(groups):
        return -1
    obeyed = scene.groups[scene.stays.connections[stays]]
    counts = [int(np.count_nonzero(obeyed == group)) for group in groups]
    return int(groups[int(np.argmax(counts))])
