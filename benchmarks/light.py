"""Light, views and ways in a generated city of boxes, and their rays and ways beside other programs'.

The rays of trimesh are cast by Embree, in 32 bits and with its instructions for many rays at once; the
shortest ways of networkx are those on the same network.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import networkx
import numpy as np
import shapely

from analysis.analysis import Analysis
from analysis.checkup.metric_plane import plane_of
from analysis.isochrone import Isochrone
from analysis.rays.daylight import Sun, lit, sun_of
from analysis.rays.panels import ground_points
from analysis.rays.question import eye_at
from analysis.rays.scene import Scene, city_scene
from analysis.rays.tree import tree_of
from analysis.reach.layer_roads import layer_roads
from analysis.reach.service import joined, nearest_times, network_of
from analysis.skyline import Skyline
from analysis.sunlight import Sunlight
from analysis.viewshed import Viewshed
from benchmarks import FOLDER
from benchmarks.contenders import PEERS, environment
from benchmarks.light_city import BUILDINGS, PLACE, light_city
from benchmarks.run import run
from cim_core.city import City
from cim_core.mesh import Floats
from cim_core.progress import Progress
from cim_core.table import Table

REPEAT = 3
_REACH = 1000.0
_MINUTES = 15.0
_HALF = 0.0013
"""Degrees from the middle of the area whose ground is asked to its sides."""
_EYE = 60.0
"""Metres above the roof: from there much is seen."""


def measure(
    folder: Path, buildings: int = BUILDINGS, data: Path = FOLDER / ".data", repeat: int = REPEAT
) -> dict[str, Any]:
    """CPU seconds: the questions as a whole, then rays and ways beside the peers'."""
    folder.mkdir(parents=True, exist_ok=True)
    city = light_city(buildings, data)
    scene = city_scene(city, PLACE, 10 * _REACH, Progress())
    return {
        "buildings": buildings,
        "triangles": len(scene.corners),
        "repeat": repeat,
        "questions": [_asked(city, *question, repeat) for question in _questions()],
        "rays": _rays(scene, folder, repeat),
        "ways": _ways(city, repeat),
    }


def _questions() -> list[tuple[str, Analysis, str]]:
    """What is asked, the question, and the output whose rows count."""
    lon, lat = PLACE
    point = {"type": "Point", "coordinates": [lon, lat]}
    return [
        (
            "sunlight on the ground of 7 ha, every minute of a day",
            Sunlight(place=shapely.geometry.mapping(_area()), reach=_REACH), "points",
        ),
        (
            "viewshed of 1 km around a tower",
            Viewshed(place=point, radius=_REACH, reach=_REACH, height=_EYE), "buildings",
        ),
        ("skyline in 3,600 directions", Skyline(place=point, step=0.1, reach=_REACH), "profile"),
        ("isochrones of 5, 10 and 15 minutes on foot", Isochrone(place=point), "cells"),
    ]  # fmt: skip


def _area() -> shapely.Geometry:
    lon, lat = PLACE
    return shapely.box(lon - _HALF, lat - _HALF, lon + _HALF, lat + _HALF)


def _asked(city: City, what: str, question: Analysis, output: str, repeat: int) -> dict[str, Any]:
    question(city, Progress())  # what is compiled, and read once, is not of the question
    seconds, answer = _seconds(lambda: question(city, Progress()), repeat)
    found = answer.outputs[output]
    rows = len(found.rows) if isinstance(found, Table) else len(found.cells)
    return {"question": what, "rows": rows, "cpu_seconds": seconds}


def _rays(scene: Scene, folder: Path, repeat: int) -> list[dict[str, Any]]:
    """The building of the tree, rays to the sun, and views; ours and those of trimesh with Embree."""
    sun = sun_of("great-cold", 2026, PLACE, 1.0)
    points = ground_points(scene, _area(), 4.0, 0.0)
    eye = eye_at(scene, PLACE, _EYE)
    targets = _targets(scene, eye)
    np.savez(
        folder / "rays.npz", corners=scene.corners, points=points, directions=sun.directions,
        eye=eye, targets=targets,
    )  # fmt: skip
    ours = _own_rays(scene, points, sun, eye, targets, repeat)
    done = run([environment("rays") / "python", PEERS / "rays.py", folder, str(repeat)], folder)
    if done.code != 0:
        raise RuntimeError(done.log)
    theirs = json.loads((folder / "stdout").read_text(encoding="utf-8"))
    found = np.load(folder / "found.npz")
    counts = {"tree": len(scene.corners), "sun": len(points) * len(sun.days), "views": len(targets)}
    return [
        {
            "what": what, "count": counts[what], "cpu_seconds": seconds,
            "peer_seconds": theirs[what], "ratio": round(seconds / theirs[what], 3),
            "differ": None if met is None else float(np.mean(met != found[what])),
        }
        for what, (seconds, met) in ours.items()
    ]  # fmt: skip


def _own_rays(
    scene: Scene, points: Floats, sun: Sun, eye: Floats, targets: Floats, repeat: int
) -> dict[str, tuple[float, Any]]:
    eyes, ways = np.broadcast_to(eye, targets.shape), targets - eye
    scene.tree.met(eyes[:1], ways[:1], 1.0)  # compiled here
    lit(scene, points[:1], sun, Progress())
    shone = _seconds(lambda: lit(scene, points, sun, Progress()), repeat)
    return {
        "tree": (_seconds(lambda: tree_of(scene.corners), repeat)[0], None),
        "sun": (shone[0], ~shone[1]),
        "views": _seconds(lambda: scene.tree.met(eyes, ways, 1.0), repeat),
    }


def _targets(scene: Scene, eye: Floats) -> Floats:
    """Places a metre above the ground, four metres apart within the reach."""
    at = np.arange(-_REACH, _REACH, 4.0)
    x, y = np.meshgrid(at, at)
    flat = np.column_stack([x.ravel(), y.ravel()])
    flat = flat[np.hypot(*flat.T) < _REACH]
    found: Floats = np.column_stack([eye[:2] + flat, np.full(len(flat), 1.0)])
    return found


def _ways(city: City, repeat: int) -> dict[str, Any]:
    """Minutes on foot from the middle to every crossing, ours and networkx's on the same network.

    Both begin with the arcs of the network.
    """
    plane = plane_of(city)
    network = network_of(layer_roads(city, "roads", plane), "walk")
    [place] = plane.laid_out(np.array([shapely.Point(PLACE)], object))
    at = joined(network, np.array([place], object))
    start, end, minutes = (one.tolist() for one in at.network.arcs)
    access = float(at.access[0])

    def peer() -> dict[int, float]:
        graph = networkx.MultiDiGraph()
        graph.add_weighted_edges_from(zip(start, end, minutes, strict=True), weight="minutes")
        found: dict[int, float] = networkx.single_source_dijkstra_path_length(
            graph, int(at.nodes[0]), cutoff=_MINUTES - access, weight="minutes"
        )
        return found

    seconds, times = _seconds(lambda: nearest_times(at, _MINUTES), repeat)
    peer_seconds, reached = _seconds(peer, repeat)
    theirs = np.full(len(times), np.inf)
    theirs[list(reached)] = np.array(list(reached.values())) + access
    both = np.isfinite(times) & np.isfinite(theirs)
    return {
        "nodes": len(times), "reached": int(np.isfinite(times).sum()),
        "as_the_peer": bool((np.isfinite(times) == np.isfinite(theirs)).all()),
        "differ": float(np.abs(times[both] - theirs[both]).max()),
        "cpu_seconds": seconds, "peer_seconds": peer_seconds,
        "ratio": round(seconds / peer_seconds, 3),
    }  # fmt: skip


def _seconds(ask: Callable[[], Any], repeat: int) -> tuple[float, Any]:
    """The median of CPU seconds, and what was found."""
    took = []
    for _ in range(repeat):
        begin = time.process_time()
        found = ask()
        took.append(time.process_time() - begin)
    return round(median(took), 4), found
