"""What trimesh with Embree makes of rays through triangles; run in an environment of its own.

`rays.py FOLDER REPEAT` reads FOLDER/rays.npz, prints CPU seconds as JSON, and writes what it found to
FOLDER/found.npz.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import trimesh
from trimesh.ray.ray_pyembree import RayMeshIntersector

Bools = np.ndarray[Any, np.dtype[np.bool_]]

_AT_ONCE = 500


def measured(folder: Path, repeat: int) -> dict[str, float]:
    """The building of its tree, the rays to the sun, and the views of an eye; medians."""
    given = np.load(folder / "rays.npz")
    corners = given["corners"]
    mesh = trimesh.Trimesh(
        corners.reshape(-1, 3), np.arange(3 * len(corners)).reshape(-1, 3), process=False
    )
    tree = _built(mesh)

    def sun() -> Bools:
        points, ways = given["points"], given["directions"]
        found = np.empty((len(points), len(ways)), bool)
        for start in range(0, len(points), _AT_ONCE):
            some = points[start : start + _AT_ONCE]
            met = tree.intersects_any(np.repeat(some, len(ways), 0), np.tile(ways, (len(some), 1)))
            found[start : start + _AT_ONCE] = met.reshape(len(some), -1)
        return found

    def views() -> Bools:
        eye, targets = given["eye"], given["targets"]
        ways = targets - eye
        places, rays, _ = tree.intersects_location(
            np.broadcast_to(eye, targets.shape), ways, multiple_hits=False
        )
        found = np.zeros(len(targets), bool)
        away = np.linalg.norm(places - eye, axis=1)
        found[rays] = away < np.linalg.norm(ways[rays], axis=1)
        return found

    seconds = {"tree": _seconds(lambda: _built(mesh), repeat)[0]}
    answers = {}
    for name, ask in (("sun", sun), ("views", views)):
        seconds[name], answers[name] = _seconds(ask, repeat)
    np.savez(folder / "found.npz", **answers)
    return seconds


def _built(mesh: trimesh.Trimesh) -> RayMeshIntersector:
    """Its tree, which is built when it is first asked."""
    found = RayMeshIntersector(mesh)
    found.intersects_any([[0.0, 0.0, 0.0]], [[0.0, 0.0, 1.0]])
    return found


def _seconds(ask: Callable[[], Any], repeat: int) -> tuple[float, Any]:
    took = []
    for _ in range(repeat):
        begin = time.process_time()
        found = ask()
        took.append(time.process_time() - begin)
    return median(took), found


if __name__ == "__main__":
    print(json.dumps(measured(Path(sys.argv[1]), int(sys.argv[2]))))  # noqa: T201
