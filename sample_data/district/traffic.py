"""Half an hour on the roads of the district, simulated by seed, as files: road map, recording, truth.

Positions are those of a simulation, exact to the centimetre that messages tell. What goes wrong in it
is decided in `traffic.toml` and told in the truth.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sample_data.district.intersections import Intersection
from sample_data.district.plan import Floats, random
from sample_data.district.streets import Network
from sample_data.district.traffic_document import document, places
from sample_data.district.traffic_flow import Flow, Frame
from sample_data.district.traffic_incidents import Incidents
from sample_data.district.traffic_map import Roads, roads
from sample_data.district.traffic_signals import Lights, changes, lights, traffic_table
from sample_data.district.traffic_trips import Tracks, Trip, trips
from sample_data.district.traffic_truth import truth
from sample_data.district.traffic_walkers import Odd, Walkers, odd_ones, walkers

ROADS, RECORDING, TRUTH = "roads.roads.json", "traffic.parquet", "traffic_truth.json"
KEY_VEHICLES = "key_vehicles.toml"

ROAD_USERS = (
    "unknown", "passenger", "light-truck", "truck", "motorcycle", "bus", "emergency", "bicycle",
    "pedestrian", "other",
)  # fmt: skip
"""What the numbers of `kinds` in a recording mean."""


@dataclass(frozen=True)
class Course:
    """A simulation: the frames of the vehicles from the beginning of the recording on, and all else."""

    roads: Roads
    tracks: Tracks
    trips: list[Trip]
    lights: Lights
    frames: list[Frame]
    flow: Flow
    walkers: Walkers
    odd: list[Odd]
    incidents: Incidents


def write_roads(path: Path, main: Network, crossings: Sequence[Intersection]) -> Roads:
    """Write the road map; it is what the rest drives on."""
    of = roads(main, crossings)
    path.write_text(json.dumps(document(of), ensure_ascii=False), "utf-8")
    return of


def write_truth(path: Path, course: Course) -> None:
    """Write what happened in the recording."""
    path.write_text(json.dumps(truth(course), ensure_ascii=False, indent=1) + "\n", "utf-8")


def write_register(path: Path, _: Course) -> None:
    """Write the vehicles that are watched, and where they may drive."""
    lines = []
    for key in traffic_table()["key"]:
        row = {
            "id": key["who"], "kind": key["kind"], "zh": key["zh"], "en": key["en"],
            "corridors": key["allowed"], "links": key.get("links", []),
        }  # fmt: skip
        lines.append("[[vehicle]]")
        # What JSON writes of texts and lists of them is TOML, too.
        lines += [
            f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in row.items()
        ]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def simulate(
    of: Roads, seed: int, seconds: float | None = None, warm_up: float | None = None
) -> Course:
    """Simulate the recording, or its beginning; equal seeds give equal courses."""
    table = traffic_table()["recording"]
    begin, end = -float(warm_up or table["warm_up"]), float(seconds or table["seconds"])
    tracks = Tracks(of)
    heads = lights(of, begin, end)
    drawn = trips(tracks, begin, end, random(seed, "traffic trips"))
    flow = Flow(tracks, drawn, heads)
    feet = walkers(of, heads, end, random(seed, "traffic walkers"))
    incidents = Incidents(tracks)
    frames: list[Frame] = []
    for tick in range(heads.shown.shape[1]):
        at = begin + tick * heads.step
        if at >= 0 and at % table["every"] == 0:
            frames.append(flow.frame(at))
        incidents.watch(flow, tick, at)
        flow.step(tick, at, feet.walked(at))
    return Course(of, tracks, drawn, heads, frames, flow, feet, odd_ones(of), incidents)


def write_recording(path: Path, course: Course) -> None:
    """Write positions and signals as one Parquet file: a row is one or the other, as `what` says."""
    moving, shown = _positions(course), _signals(course)
    counts = {"positions": len(moving["times"]), "signals": len(shown["times"])}
    columns = {**moving, **shown}
    parts: dict[str, Any] = {}
    for name in columns:
        own = [table.get(name) for table in (moving, shown)]
        kind = next(one for one in own if one is not None).type
        chunks = [
            pa.nulls(count, kind) if one is None else one
            for one, count in zip(own, counts.values(), strict=True)
        ]
        parts[name] = pa.chunked_array(chunks)
    what = np.repeat(list(counts), list(counts.values()))
    pq.write_table(
        pa.table({"what": pa.array(what), **parts}), path, compression="zstd",
        use_dictionary=["what", "who", "intersections", "groups"],
    )  # fmt: skip


def _positions(course: Course) -> dict[str, Any]:
    frames = course.frames
    at = np.concatenate([np.full(len(f.trips), f.at) for f in frames])
    rows = np.concatenate([f.trips for f in frames])
    lanes, ways = (np.concatenate([getattr(f, x) for f in frames]) for x in ("lanes", "ways"))
    along, aside = (np.concatenate([getattr(f, x) for f in frames]) for x in ("places", "aside"))
    points, headings = located(course, lanes, ways, along, aside)
    speed, change = (
        np.concatenate([getattr(f, x) for f in frames]) for x in ("speeds", "accelerations")
    )
    kinds = np.array([ROAD_USERS.index(trip.kind) for trip in course.trips])[rows]
    lengths = np.array([trip.length for trip in course.trips])[rows]
    parts = [(at, rows, points, speed, headings, change, kinds, lengths)]
    names = [trip.who for trip in course.trips]
    parts += list(_on_foot(course, names))
    at, rows, points, speed, headings, change, kinds, lengths = map(
        np.concatenate, zip(*parts, strict=True)
    )
    order = np.lexsort((rows, at))
    degrees = places(points[order])
    who = pa.DictionaryArray.from_arrays(pa.array(rows[order].astype(np.int32)), pa.array(names))
    return {
        "times": pa.array(_moments(at[order])), "who": who.cast(pa.string()),
        "lon": pa.array(np.round(degrees[:, 0], 7)), "lat": pa.array(np.round(degrees[:, 1], 7)),
        "speeds": _single(speed[order], 2), "headings": _single(headings[order], 1),
        "accelerations": _single(change[order], 2),
        "kinds": pa.array(kinds[order].astype(np.uint8)), "lengths": _single(lengths[order], 1),
    }  # fmt: skip


def _on_foot(course: Course, names: list[str]) -> Any:
    """Those on foot as parts of the positions; `names` grows by theirs."""
    first = len(names)
    names += [f"P{n + 1:05d}" for n in range(len(course.walkers.came))]
    headings = np.degrees(np.arctan2(course.walkers.axes[:, 0], course.walkers.axes[:, 1])) % 360
    foot = ROAD_USERS.index("pedestrian")
    for frame in course.frames:
        along = course.walkers.along(frame.at)
        later = course.walkers.along(frame.at + course.lights.step)
        here = np.flatnonzero(~np.isnan(along))
        speed = np.nan_to_num((later - along)[here]) / course.lights.step
        count = len(here)
        yield (
            np.full(count, frame.at), first + here, course.walkers.points(along)[here], speed,
            headings[here], np.zeros(count), np.full(count, foot), np.full(count, 0.5),
        )  # fmt: skip
    for odd in course.odd:
        names.append(odd.who)
        moments = [f.at for f in course.frames if odd.along(f.at) is not None]
        count, lane = len(moments), course.tracks.lane[odd.lane]
        there = np.array([odd.along(at) for at in moments], np.float64)
        points, ahead = located(
            course, np.full(count, lane), np.full(count, -1), there, np.full(count, odd.beside)
        )
        back = 180.0 if odd.last < odd.first else 0.0
        kind = ROAD_USERS.index(odd.kind)
        length = 1.8 if odd.kind == "bicycle" else 0.5
        yield (
            np.array(moments), np.full(count, len(names) - 1), points, np.full(count, odd.speed),
            (ahead + back) % 360.0, np.zeros(count), np.full(count, kind), np.full(count, length),
        )  # fmt: skip


def located(
    course: Course, lanes: Any, ways: Any, along: Floats, aside: Floats
) -> tuple[Floats, Floats]:
    """Plan metres (n, 2) and headings (n,) of places on lanes, or on ways into them."""
    shapes = [one.line for one in course.roads.lanes.values()]
    shapes += [one.line for one in course.roads.ways.values()]
    ends: Floats = np.cumsum([shape.length + 10.0 for shape in shapes])
    starts = np.append(0.0, ends[:-1])
    points = [np.asarray(shape.coords) for shape in shapes]
    at = np.concatenate([
        start + np.append(0.0, np.cumsum(np.hypot(*np.diff(xy, axis=0).T)))
        for start, xy in zip(starts, points, strict=True)
    ])  # fmt: skip
    xy = np.concatenate(points)
    line = np.where(ways >= 0, ways + len(course.roads.lanes), lanes)
    lengths = np.array([shape.length for shape in shapes])
    reach = np.clip(np.where(ways >= 0, along + lengths[line], along), 0.0, lengths[line])
    asked = starts[line] + reach
    behind = np.clip(np.searchsorted(at, asked, side="right") - 1, 0, len(at) - 2)
    # The last place of a line belongs to its last piece, not to the first of the next line.
    behind = np.where(asked >= starts[line] + lengths[line] - 1e-9, behind - 1, behind)
    step = xy[behind + 1] - xy[behind]
    share = (asked - at[behind]) / (at[behind + 1] - at[behind])
    step_length = np.hypot(step[:, 0], step[:, 1])
    right = np.column_stack([step[:, 1], -step[:, 0]]) / step_length[:, None]
    found: Floats = xy[behind] + step * np.clip(share, 0, 1)[:, None] + right * aside[:, None]
    headings: Floats = np.degrees(np.arctan2(step[:, 0], step[:, 1])) % 360.0
    return found, headings


def _signals(course: Course) -> dict[str, Any]:
    rows = sorted(changes(course.lights, 0.0))
    at, nodes, groups, codes, lasts = zip(*rows, strict=True)
    return {
        "times": pa.array(_moments(np.array(at))), "intersections": pa.array(nodes),
        "groups": pa.array(groups), "lights": pa.array(np.array(codes, np.uint8)),
        "remaining": _single(np.array(lasts), 1),
    }  # fmt: skip


def _single(values: Any, digits: int) -> Any:
    rounded = np.round(values, digits).astype(np.float32)
    return pa.array(rounded, mask=np.isnan(rounded))


def _moments(at: Floats) -> Any:
    begin = int(traffic_table()["recording"]["begin"])
    return begin + np.round(at * 1000).astype(np.int64)
