"""The roads as the file of a road map: plain JSON, places in longitude and latitude."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pyproj
import shapely

from sample_data.district.plan import CRS, Floats, Shape, plan
from sample_data.district.streets import SPEEDS
from sample_data.district.traffic_map import Arm, Roads, conflicts
from sample_data.district.traffic_signals import (
    LIGHTS,
    groups,
    offset,
    phases,
    traffic_table,
)

Row = dict[str, Any]


def document(of: Roads) -> Row:
    """The whole road map, as the file has it."""
    against = conflicts(of)
    return {
        "links": [_link(of, name) for name in of.links],
        "lanes": [_lane(of, name) for name in of.lanes],
        "intersections": [_intersection(of, node) for node in of.nodes],
        "connections": [
            {
                "id": way.id, "intersection": way.node, "from_lane": way.start, "to_lane": way.end,
                "turn": way.turn, "group": way.group, "line": _line(way.line),
                "conflicts": list(against[way.id]),
            }
            for way in of.ways.values()
        ],
        "crosswalks": [
            {
                "id": f"{node}-{arm.side}-walk", "intersection": node, "link": arm.enters,
                "group": f"{arm.side}-walk", "area": _line(arm.approach.crosswalk.exterior),
            }
            for node in of.nodes
            for arm in of.arms[node]
        ],
        "groups": [
            {"id": name, "intersection": node, "kind": kind, "number": number}
            for node in of.nodes
            for name, kind, number in groups(of, node)
        ],
        "plans": [
            _plan(of, node, one) for node in of.nodes for one in traffic_table()["plan"]
        ],
        "devices": [one for node in of.nodes for one in _devices(of, node)],
        "restrictions": [_restriction(of, one) for one in traffic_table()["restriction"]],
        "works": [
            {**one, "first": one["first"].isoformat(), "last": one["last"].isoformat()}
            for one in traffic_table()["work"]
        ],
        "source": "sample_data (fictional)",
    }  # fmt: skip


def places(points: Floats) -> Floats:
    """Longitude and latitude (n, 2) of plan metres (n, 2), to the millimetre."""
    origin = plan().origin
    east, north = (points + np.asarray(origin)).T.tolist()
    lon, lat = _to_degrees().transform(east, north)
    return np.column_stack([np.round(lon, 8), np.round(lat, 8)])


@cache
def _to_degrees() -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)


def _line(shape: Shape) -> list[list[float]]:
    found: list[list[float]] = places(shapely.get_coordinates(shape)).tolist()
    return found


def _place(at: Sequence[float]) -> list[float]:
    found: list[float] = places(np.array([at], np.float64))[0].tolist()
    return found


def _link(of: Roads, name: str) -> Row:
    link = of.links[name]
    ends = {key: value for key, value in (("start", link.start), ("end", link.end)) if value}
    street = link.zh[:-2] if link.kind == "arterial" else ""
    return {
        "id": name, "name": link.zh, **ends, "line": _line(shapely.simplify(link.line, 0.05)),
        "length": round(float(link.line.length), 2), "road_class": link.kind,
        "speed": round(SPEEDS[link.kind] / 3.6, 2), "corridor": street,
    }  # fmt: skip


def _lane(of: Roads, name: str) -> Row:
    lane = of.lanes[name]
    return {
        "id": name, "link": lane.link, "number": lane.number, "type": lane.kind,
        "turns": list(lane.turns), "width": lane.width, "speed": lane.speed, "line": _line(lane.line),
    }  # fmt: skip


def _intersection(of: Roads, node: str) -> Row:
    one, number = of.nodes[node], int(node[1:])
    return {
        "id": node, "name": f"{one.zh}路口", "name_en": one.en, "control": "signal",
        "place": _place(of.places[node]), "node": [1, number], "area": _line(one.area.exterior),
        "approaches": [
            {"link": arm.enters, "bearing": arm.approach.bearing, "name": f"{arm.approach.street}进口"}
            for arm in of.arms[node]
        ],
        "exits": [arm.leaves for arm in of.arms[node]],
    }  # fmt: skip


def _plan(of: Roads, node: str, table: Row) -> Row:
    return {
        "id": f"{node}-{table['id']}", "intersection": node, "offset": offset(node, table),
        "phases": [
            {"duration": duration, "lights": {name: LIGHTS[code] for name, code in lit.items()}}
            for duration, lit in phases(of, node, table)
        ],
        "schedule": [_hours(row) for row in table["hours"]],
    }  # fmt: skip


def _hours(row: Sequence[Any]) -> Row:
    first, last, start, end = row
    return {"days": list(range(first, last + 1)), "start": start, "end": end}


def _restriction(of: Roads, table: Row) -> Row:
    told = ("id", "kind", "lanes", "value", "note")
    row: Row = {key: table[key] for key in told if key in table}
    if "turn" in table:
        row["connections"] = [
            way.id for way in of.ways.values()
            if (way.node, way.side, way.turn) == (table["node"], table["side"], table["turn"])
        ]  # fmt: skip
    return {**row, "hours": [_hours(one) for one in table.get("hours", ())]}


def _devices(of: Roads, node: str) -> list[Row]:
    """A roadside unit, a computer and a controller at a corner; a camera and a radar over each arm."""
    table = traffic_table()["devices"]
    x, y = of.places[node]
    found: list[Row] = []
    for kind in ("rsu", "mec", "signal-controller"):
        aside = table[kind]["away"] / np.sqrt(2)
        found.append(
            {"id": f"{node}-{kind}", "kind": kind, "intersection": node,
             "place": _place((x + aside, y + aside)), "height": table[kind]["height"]}
        )  # fmt: skip
    for arm in of.arms[node]:
        for kind in ("camera", "radar"):
            found.append(
                {"id": f"{node}-{kind}-{arm.side}", "kind": kind, "intersection": node,
                 "link": arm.enters, "place": _place(_mast(arm)),
                 "heading": round((arm.approach.bearing + 180.0) % 360.0, 1),
                 "height": table[kind]["height"], "field_of_view": table[kind]["field_of_view"]}
            )  # fmt: skip
    for n, one in enumerate(found):
        one["model"] = table[one["kind"]]["model"]
        one["serial"] = f"{one['kind'][:2].upper()}{node[1:]}{n:03d}"
        one["status"] = "offline" if one["id"] in table["offline"] else "online"
    return found


def _mast(arm: Arm) -> tuple[float, float]:
    """Over the stop line of an arm, where the cameras look up the street."""
    middle = arm.approach.stop_line.centroid
    return middle.x, middle.y
