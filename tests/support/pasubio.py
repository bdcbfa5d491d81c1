"""The recorded hour at Pasubio, signal 233, without anything that says which lane anybody was on."""

import json
from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow.csv as arrow

from cim_core.network import Labels
from cim_core.traffic.moving import ROAD_USERS, Positions, SignalStates
from cim_core.traffic.roads import Light, RoadMap
from pipelines.roads_sumo import read_sumo

HOUR = 3_600_000
FOLDER = Path("traffic_pasubio")
ORACLE = FOLDER / "oracle_tls233"
_LENGTHS = {
    "passenger2a": 4.5,
    "passenger2b": 4.5,
    "ignoring2a": 4.5,
    "ignoring2b": 4.5,
    "bus": 12.0,
}
_LIGHTS = {"r": "red", "y": "yellow", "g": "permissive-green", "G": "protected-green"}


def pasubio_roads(data: Path) -> RoadMap:
    """The net around the intersection."""
    return read_sumo(data / FOLDER / "pasubio_buslanes.net.xml")


def pasubio_positions(data: Path) -> Positions:
    """Where everybody was each second: time, id, type, place, speed and heading, nothing else."""
    only = ["t", "veh", "type", "lon", "lat", "speed_mps", "heading_deg"]
    table = arrow.read_csv(
        data / ORACLE / "fcd.csv.gz", convert_options=arrow.ConvertOptions(include_columns=only)
    )
    kinds = table["type"].to_pylist()
    column = {name: table[name].to_numpy() for name in only if name not in ("veh", "type")}
    return Positions(
        (column["t"] * 1000).astype(np.int64),
        Labels.of(table["veh"].to_pylist()),
        column["lon"].astype(np.float64),
        column["lat"].astype(np.float64),
        column["speed_mps"].astype(np.float32),
        column["heading_deg"].astype(np.float32),
        np.full(len(kinds), np.nan, np.float32),
        np.array([ROAD_USERS.index("bus" if k == "bus" else "passenger") for k in kinds], np.uint8),
        np.array([_LENGTHS.get(kind, 5.0) for kind in kinds], np.float32),
    )


def pasubio_signals(data: Path) -> SignalStates:
    """What the groups of the signal showed, group by group."""
    changes = json.loads((data / ORACLE / "signal_changes.json").read_text())
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
