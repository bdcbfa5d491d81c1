"""The answer key's own way along the roads: Dijkstra by hand over the segments as they were drawn."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.ops import substring

from sample_data.district.checkup import layer_table
from sample_data.district.plan import Shape
from sample_data.district.tables import Table


@dataclass(frozen=True, slots=True)
class Edge:
    """A segment with its two nodes, how fast one goes along it (m/min), and whether also back."""

    line: Shape
    first: str
    last: str
    pace: float
    back: bool


def edges_of(roads: Table, mode: str) -> list[Edge]:
    """The segments that one may walk or drive along."""
    numbers = layer_table()["reach"]
    found = []
    for line, row in zip(roads.shapes, roads.rows, strict=True):
        pace = numbers["walk"]
        if mode == "drive":
            speed = numbers["drive"].get(row["road_class"])
            if speed is None:
                continue
            pace = min(speed, float(row["speed"] or speed)) * 1000 / 60
        oneway = mode == "drive" and row["oneway"] == "yes"
        found.append(Edge(line, str(row["from_node"]), str(row["to_node"]), pace, not oneway))
    return found


def doors(site: Shape) -> list[Shape]:
    """Where one comes out of a site: of an area at every seven metres of its edge."""
    if site.geom_type == "Point":
        return [site]
    return [
        ring.interpolate(at)
        for part in shapely.get_parts(site)
        for ring in (part.exterior, *part.interiors)
        for at in np.arange(0.0, ring.length, 7.0)
    ]


def reached(edges: Sequence[Edge], sites: Sequence[Shape], minutes: float, mode: str) -> Shape:
    """All ground within some minutes of any site: what is beside the roads that are reached."""
    numbers = layer_table()["reach"]
    off_road = numbers["walk"] if mode == "walk" else numbers["off_road"] * 1000 / 60
    tree = shapely.STRtree([edge.line for edge in edges])
    ground, times, queue = list[Shape](), dict[str, float](), list[tuple[float, str]]()

    def arrive(node: str, time: float) -> None:
        if time <= minutes and time < times.get(node, float("inf")):
            times[node] = time
            heapq.heappush(queue, (time, node))

    for site in sites:
        near = int(tree.nearest(site))
        edge = edges[near]
        away = site.distance(edge.line)
        if away > numbers["farthest"]:
            continue
        at = edge.line.project(site)
        door = edge.line.interpolate(at)
        left = minutes - away / off_road
        share = min(1.0, minutes / (away / off_road)) if away > 0 else 1.0
        ground.append(shapely.LineString([site, (site.x + share * (door.x - site.x), site.y + share * (door.y - site.y))]))  # fmt: skip
        if left < 0:
            continue
        ahead = min(edge.line.length, at + left * edge.pace)
        behind = max(0.0, at - left * edge.pace) if edge.back else at
        ground.append(substring(edge.line, behind, ahead))
        arrive(edge.last, minutes - left + (edge.line.length - at) / edge.pace)
        if edge.back:
            arrive(edge.first, minutes - left + at / edge.pace)
    leaving = defaultdict(list)
    for edge in edges:
        leaving[edge.first].append((edge, True))
        if edge.back:
            leaving[edge.last].append((edge, False))
    complete = set[int]()
    while queue:
        time, node = heapq.heappop(queue)
        if time > times[node]:
            continue
        for edge, forward in leaving[node]:
            length = edge.line.length
            far = (minutes - time) * edge.pace
            if far < length:
                ground.append(substring(edge.line, 0.0, far) if forward else substring(edge.line, length - far, length))  # fmt: skip
            elif id(edge) not in complete:
                complete.add(id(edge))
                ground.append(edge.line)
            arrive(edge.last if forward else edge.first, time + length / edge.pace)
    # One by one: all at once they cross each other so often that it takes a hundred times as long.
    return shapely.union_all(shapely.buffer(np.array(ground), numbers["spread"], quad_segs=6))
