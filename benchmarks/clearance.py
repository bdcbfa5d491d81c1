"""`python -m benchmarks.clearance COUNT`: checks the clearances of a whole city, and prints what it took.

The city has eight lines in every street, as streets have them: water, storm water, sewage, gas, heat,
power and two of telecom, some of them boxes, each a little astray. They lie side by side and all cross
those of the other streets.
"""

import json
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.run import run
from cim_core.frame import Frame
from cim_core.network import Labels, Network, Nodes, Profile, Segments
from cim_core.progress import Progress
from pipelines.clearance import too_near
from pipelines.clearance_rules import sources
from pipelines.distances import solids

_STREET, _STEP = 250.0, 30.0
"""Metres from one street to the next, and from one point of a line to the next."""

_MIDDLE = Frame(113.4, 23.1, 0.0)


@dataclass(frozen=True, slots=True)
class _Line:
    code: str
    aside: float
    axis: float
    size: float
    profile: Profile = Profile.CIRCLE


_LINES = (
    _Line("JP", -9.0, -1.2, 0.3),
    _Line("YS", -2.0, -2.5, 0.8),
    _Line("WS", 2.0, -3.2, 0.5),
    _Line("TR", 7.0, -1.0, 0.2),
    _Line("RS", 11.0, -1.4, 0.4),
    _Line("GD", -12.0, -0.8, 0.4, Profile.BOX),
    _Line("DH", 13.0, -0.9, 0.3, Profile.BOX),
    _Line("DS", 5.0, -0.7, 0.1),
)


def measure(folder: Path, count: int) -> dict[str, Any]:
    """What the check takes in a process of its own: seconds, memory, pairs measured, findings."""
    folder.mkdir(parents=True, exist_ok=True)
    done = run([sys.executable, "-m", "benchmarks.clearance", str(count)], folder)
    if done.code != 0:
        raise RuntimeError(done.log)
    told: dict[str, Any] = json.loads((folder / "stdout").read_text(encoding="utf-8"))
    return {**told, "memory": done.memory}


def streets(count: int) -> Network:
    """A city of about `count` segments, a square of streets."""
    side = round(np.sqrt(count * _STEP / (2 * len(_LINES) * _STREET)))
    each = int(side * _STREET / _STEP)
    random = np.random.default_rng(3)
    places, starts, axes = [], [], []
    for north in (False, True):
        for street in range(side):
            for number, line in enumerate(_LINES):
                along = np.arange(each + 1) * _STEP
                across = street * _STREET + line.aside + random.normal(0, 0.15, each + 1)
                places.append(np.column_stack([across, along] if north else [along, across]))
                first = (each + 1) * ((side * north + street) * len(_LINES) + number)
                starts.append(np.arange(first, first + each))
                axes.append(line.axis - 0.05 * north + random.normal(0, 0.05, (each, 1)))
    plane = np.concatenate(places) - side * _STREET / 2
    level = np.zeros(len(plane))
    nodes = Nodes.bare(
        [str(row) for row in range(len(plane))],
        _MIDDLE.to_geographic(np.column_stack([plane, level]))[:, :2],
    )
    begin = np.concatenate(starts)
    of = np.tile(np.repeat(np.arange(len(_LINES)), each), 2 * side)
    sizes = np.array([line.size for line in _LINES])[of]
    return Network(
        nodes,
        replace(
            Segments.bare([str(row) for row in range(len(begin))], begin, begin + 1),
            elevations=np.repeat(np.concatenate(axes), 2, axis=1),
            widths=sizes, heights=sizes,
            profiles=np.array([line.profile for line in _LINES], np.int8)[of],
            classes=Labels(tuple(line.code for line in _LINES), of.astype(np.int32)),
        ),
    )  # fmt: skip


def checked(count: int) -> dict[str, Any]:
    """Seconds of the check, and what it found."""
    network = streets(count)
    pieces = network.pieces()
    begin = time.perf_counter()
    bodies = solids(network, pieces, pieces.flat(_MIDDLE))
    found = too_near(network, pieces.segments, bodies, tuple(sources()), Progress())
    return {
        "segments": len(network.segments), "seconds": round(time.perf_counter() - begin, 1),
        "compared": found.compared, "findings": len(found.conflicts),
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(checked(int(sys.argv[1]))))  # noqa: T201
