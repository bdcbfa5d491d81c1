"""All measures of an hour at a real intersection, from positions ten times a second.

The recording of the shared data has a position a second; between two of them nine are put, along the
straight line, of who is near enough to the intersection to have 447,589 in all: as many as a sensor
there would tell in that hour.
"""

import json
import time
from pathlib import Path
from statistics import median
from typing import Any, get_args

import numpy as np
import pyarrow.csv as arrow

from analysis.traffic.measures import measure as measures_by
from analysis.traffic.measures_diagrams import cycles_of
from analysis.traffic.measures_parts import By
from analysis.traffic.measures_scene import scene_of
from analysis.traffic.measures_totals import totals
from benchmarks import ROOT
from cim_core.network import Labels
from cim_core.traffic.moving import Positions, SignalStates, take
from cim_core.traffic.roads import Light
from pipelines.roads_sumo import read_sumo

ROWS = 447_589
_FOLDER = ROOT.parent / "shared" / "data" / "traffic_pasubio"
_RECORDED = _FOLDER / "oracle_tls233"
_HOUR = 3_600_000
_HERTZ = 10
_REPEAT = 5
_LIGHTS = {"r": "red", "y": "yellow", "g": "permissive-green", "G": "protected-green"}


def measure(
    count: int = ROWS, repeat: int = _REPEAT, folder: Path = _RECORDED
) -> dict[str, Any] | None:
    """Seconds of each stage, and of all of it on one core; None where there is no recording."""
    if not folder.is_dir():
        return None
    roads = read_sumo(folder.parent / "pasubio_buslanes.net.xml")
    positions, signals = _positions(folder, count), _signals(folder)
    runs = []
    for _ in range(repeat):
        stages: dict[str, float] = {}
        begun = time.process_time()
        scene = scene_of(roads, positions, signals, "233", 0, _HOUR)
        stages["matching and passages"] = time.process_time() - begun
        for by in get_args(By):
            since = time.process_time()
            table = measures_by(scene, 900, by)
            stages[f"by {by}"] = time.process_time() - since
        since = time.process_time()
        totals(scene, 900)
        stages["totals"] = time.process_time() - since
        since = time.process_time()
        cycles_of(scene)
        stages["cycles"] = time.process_time() - since
        stages["all"] = time.process_time() - begun
        runs.append(stages)
    return {
        "rows": len(positions), "hertz": _HERTZ, "vehicles": len(scene.stays),
        "columns": len(table.columns),
        "cpu_seconds": {stage: round(median(r[stage] for r in runs), 3) for stage in runs[0]},
    }  # fmt: skip


def _positions(folder: Path, count: int) -> Positions:
    """The recording ten times a second near the intersection, so many rows."""
    table = arrow.read_csv(folder / "fcd.csv.gz")
    column = {
        name: table[name].to_numpy() for name in ("t", "lon", "lat", "speed_mps", "heading_deg")
    }
    who = Labels.of(table["veh"].to_pylist())
    order = np.lexsort((column["t"], who.codes))
    codes, t = who.codes[order], column["t"][order].astype(np.float64)
    lon, lat, speed, heading = (column[name][order] for name in list(column)[1:])
    steps = np.flatnonzero((np.diff(codes) == 0) & (np.diff(t) == 1))
    east, north = json.loads((folder / "meta.json").read_text())["center_lonlat"]
    far = np.hypot((lon[steps] - east) * np.cos(np.radians(north)), lat[steps] - north)
    steps = np.sort(steps[np.argsort(far, kind="stable")[: -(-count // _HERTZ)]])
    rows, part = np.repeat(steps, _HERTZ), np.tile(np.arange(_HERTZ) / _HERTZ, len(steps))

    def between(values: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
        return np.asarray(values[rows] + part * (values[rows + 1] - values[rows]))

    n = len(rows)
    return take(
        Positions(
            np.round(between(t) * 1000).astype(np.int64),
            Labels(who.names, codes[rows]),
            between(lon).astype(np.float64),
            between(lat).astype(np.float64),
            between(speed).astype(np.float32),
            heading[rows].astype(np.float32),
            np.full(n, np.nan, np.float32),
            np.ones(n, np.uint8),
            np.full(n, 4.5, np.float32),
        ),
        np.arange(n) < count,
    )


def _signals(folder: Path) -> SignalStates:
    changes = json.loads((folder / "signal_changes.json").read_text())
    rows = [
        (round(at * 1000), str(group), get_args(Light).index(_LIGHTS[letter]))
        for at, state, *_ in changes for group, letter in enumerate(state)
    ]  # fmt: skip
    return SignalStates(
        np.array([at for at, _, _ in rows], np.int64),
        Labels.of(["233"] * len(rows)),
        Labels.of([group for _, group, _ in rows]),
        np.array([light for _, _, light in rows], np.uint8),
        np.full(len(rows), np.nan, np.float32),
    )
