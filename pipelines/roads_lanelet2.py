"""Lanelet2 maps (.osm) as road maps.

A map of lanelets knows no intersections and no roads. Here lanelets side by side in one direction
are a link, and those that follow each other go on in it; lanelets that cross others, or begin or end
together with one that is not beside them, are the inside of an intersection.
"""

from collections import defaultdict

import numpy as np
import shapely

from cim_core.mesh import Floats
from cim_core.traffic.roads import Line, RoadMap, Turn
from pipelines.roads_geometry import length, metres_per_degree, places
from pipelines.roads_lanelet2_file import Lanelet, read_lanelets
from pipelines.roads_pieces import NEAR, Assembly, Piece
from pipelines.roads_place import MapFile

_TURNS: dict[str, Turn] = {"left": "left", "right": "right", "straight": "straight"}


def lanelet_roads(file: MapFile) -> tuple[RoadMap, tuple[str, ...]]:
    """The road map of a Lanelet2 map, and what is not as it should be; raises `InvalidInput`."""
    told = read_lanelets(file.path, file.name)
    pieces = {one.id: _piece(one) for one in told.lanelets.values()}
    walkways = [pieces.pop(one.id) for one in told.lanelets.values() if one.type == "crosswalk"]
    driven = {id_: told.lanelets[id_] for id_ in pieces if pieces[id_].type != "sidewalk"}
    _find_neighbours(driven, pieces)
    _find_inside(driven, pieces)

    def to_line(plane: Floats) -> Line:
        scale = np.array(metres_per_degree(told.origin[1]))
        return places(plane / scale + np.array(told.origin), heights=False)

    work = Assembly(pieces, to_line)
    both = sum(x.tags.get("one_way") in ("no", "false") for x in driven.values())
    if both:
        work.warnings.append(
            f"{both} lanelets are for both directions and stand in the one of their bounds only"
        )
    roads = work.road_map(f"Lanelet2 map {file.name}", walkways)
    return roads, tuple(work.warnings)


def _piece(one: Lanelet) -> Piece:
    return Piece(
        one.id, one.type, one.line, one.area, one.width, one.speed,
        name=one.tags.get("road_name", ""), lights=list(one.lights),
        turn=_TURNS.get(one.tags.get("turn_direction", "")),
    )  # fmt: skip


def _find_neighbours(driven: dict[str, Lanelet], pieces: dict[str, Piece]) -> None:
    """What begins at the nodes a lanelet ends at follows it; a bound they share makes neighbours."""
    begins: dict[tuple[str, str], list[str]] = defaultdict(list)
    lefts: dict[tuple[str, str, str], str] = {}
    for one in driven.values():
        begins[one.first].append(one.id)
        lefts[one.left, one.first[0], one.last[0]] = one.id
    for one in driven.values():
        pieces[one.id].after = begins[one.last]
        right = lefts.get((one.right, one.first[1], one.last[1]))
        if right is not None and driven[right].type == one.type:
            pieces[one.id].beside = right


def _find_inside(driven: dict[str, Lanelet], pieces: dict[str, Piece]) -> None:
    """Say of lanelets inside of intersections which: the smallest id of those that belong together."""
    before: dict[str, list[str]] = defaultdict(list)
    for one in driven:
        for other in pieces[one].after:
            before[other].append(one)
    pairs = {
        (one, other)
        for others in (*(pieces[id_].after for id_ in driven), *before.values())
        for row, one in enumerate(others)
        for other in others[row + 1 :]
        if pieces[one].beside != other and pieces[other].beside != one
    }
    ids = list(driven)
    shapes = [shapely.LineString(_without_ends(driven[one].line)) for one in ids]
    first, second = shapely.STRtree(shapes).query(shapes, predicate="crosses")
    crossing = zip(first.tolist(), second.tolist(), strict=True)
    pairs |= {(ids[a], ids[b]) for a, b in crossing if a < b}
    inside = {one for pair in pairs for one in pair}
    inside |= {
        one for lit in driven if pieces[lit].lights for one in _beyond(lit, inside, driven, pieces)
    }
    pairs |= {(one, other) for one in inside for other in pieces[one].after if other in inside}
    group = {one: one for one in inside}

    def root(one: str) -> str:
        while group[one] != one:
            one = group[one]
        return one

    for one, other in sorted(pairs):
        group[max(root(one), root(other))] = min(root(one), root(other))
    for one in inside:
        pieces[one].inside = f"node-{root(one)}"


def _beyond(
    lit: str, inside: set[str], driven: dict[str, Lanelet], pieces: dict[str, Piece]
) -> set[str]:
    """What lies between a stop line with lights and the inside of its intersection."""
    found: set[str] = set()
    open_ = [[one] for one in pieces[lit].after if one not in inside]
    while open_:
        way = open_.pop()
        onward = pieces[way[-1]].after
        if any(one in inside for one in onward):
            found |= {*way}
        elif sum(length(driven[one].line) for one in way) < NEAR:
            open_ += [[*way, one] for one in onward if one not in way]
    return found


def _without_ends(line: Floats) -> Floats:
    """A line without its ends, so that lines that only touch there do not cross."""
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    cut = min(0.5, along[-1] / 4)
    kept = along[(along > cut) & (along < along[-1] - cut)]
    wanted = np.concatenate([[cut], kept, [along[-1] - cut]])
    return np.column_stack([np.interp(wanted, along, column) for column in line.T])
