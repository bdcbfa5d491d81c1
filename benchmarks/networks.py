"""Questions of a million segments of pipe, in a generated city kept in benchmarks/.data.

Kept is what an import keeps of a network; its features, which no question of a network reads, are
left out. Beside it a real network is asked by the product and by its peers.
"""

import json
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks import FOLDER, ROOT, clearance
from benchmarks.contenders import PEERS, environment
from benchmarks.run import run
from cim_core.city import City
from cim_core.frame import Frame
from cim_core.layer import Georeference, Layer, PipeNetwork
from cim_core.network import Labels, Network, NodeKind, Nodes, Reference, Segments, Valves
from cim_core.networks_joined import joined
from cim_core.progress import Progress
from cim_core.receipt import write_receipt
from pipelines.bridges import hanging
from pipelines.graph import Graph
from pipelines.inp import read_water_model
from pipelines.inp_text import read_text
from pipelines.isolation import Parts
from pipelines.model_files import Files, valves_of
from pipelines.water_model import water_network
from tiles import NO_TILES

SEGMENTS = 1_000_000
LAYER = "pipes"
WATER = ROOT.parent / "shared" / "data" / "water"
MODEL = "ky4"
VALVES = "ky4_valve_layer_strategic2"
HOUSES = (900, 10_000)
_REPEAT = 20
_BLOCK = 100.0
_CORNER = Frame(113.2, 22.9, 0.0)


def measure(folder: Path, count: int = SEGMENTS) -> dict[str, Any]:
    """What the questions take in the generated city, and the same questions of a real network."""
    folder.mkdir(parents=True, exist_ok=True)
    city = generated_city(count)
    asked = run([sys.executable, "-m", "benchmarks.network_questions", city.folder], folder)
    if asked.code != 0:
        raise RuntimeError(asked.log)
    record: dict[str, Any] = {
        **json.loads((folder / "stdout").read_text(encoding="utf-8")),
        "memory": asked.memory,
        "wall": round(asked.wall, 1),
    }
    record["house_connections"] = {str(n): burst_in_a_main(n) for n in HOUSES}
    record["clearance"] = clearance.measure(folder / "clearance", count)
    if WATER.is_dir():
        record["side_by_side"] = side_by_side(folder)
    return record


def generated_city(count: int) -> City:
    """The city with at least so many segments, made where it is not there yet."""
    folder = FOLDER / ".data" / f"pipes-{count}"
    if not (folder / "done").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        city = City.open_or_create(folder / "city", "Pipes")
        layer = Layer(
            LAYER, LAYER, _CORNER, PipeNetwork((), grid(count), 0.0),
            Georeference("crs", "EPSG:4326", {"en": "", "zh": ""}),
        )  # fmt: skip
        with city.draft(LAYER, LAYER, Progress()) as draft:
            draft.save(layer, 0.0, Progress())
            draft.publish(layer, NO_TILES, write_receipt("import", (), {}, {}))
        (folder / "done").touch()
    return City.open(folder / "city")


def burst_in_a_main(count: int) -> float:
    """Seconds for a break in a main without valves; each of its house connections has one."""
    nodes = Nodes.bare([f"N{row}" for row in range(2 * count + 1)], np.zeros((2 * count + 1, 2)))
    nodes.kinds[0] = NodeKind.SOURCE
    main = np.arange(count)
    starts, ends = np.concatenate([main, main + 1]), np.concatenate([main + 1, main + 1 + count])
    segments = Segments.bare([f"S{row}" for row in range(2 * count)], starts, ends)
    names = np.array([f"V{row}" for row in range(count)], object)
    parts = Parts(
        Network(nodes, segments, Valves(names, main + count, main + 1, main)), through_closed=False
    )
    begin = time.perf_counter()
    parts.break_at(0)
    return round(time.perf_counter() - begin, 3)


def grid(count: int) -> Network:
    """A city of square blocks with at least `count` segments: water in every street, sewers in half.

    Water is looped, with a valve at half of all pipe ends, users at every crossing and a works at
    one in twenty thousand; sewers run east, each street to an outfall of its own.
    """
    side = int(np.ceil((1 + np.sqrt(1 + 4 * count / 3)) / 2))
    random = np.random.default_rng(7)
    crossings = np.arange(side * side).reshape(side, side)
    east = np.stack([crossings[:, :-1].ravel(), crossings[:, 1:].ravel()])
    north = np.stack([crossings[:-1].ravel(), crossings[1:].ravel()])
    water = _system("W", "JP", side, np.concatenate([east, north], axis=1), 2.0, random)
    kinds = water.nodes.kinds.copy()
    kinds[random.choice(side * side, max(1, side * side // 20_000), replace=False)] = (
        NodeKind.SOURCE
    )
    users = random.integers(0, 40, side * side).astype(float)
    water = replace(
        water,
        nodes=replace(water.nodes, kinds=kinds, users=users, demand=users * 0.002),
        valves=_valves(water.segments, random),
    )
    sewers = _system("S", "WS", side, east, -2.0, random)
    kinds = sewers.nodes.kinds.copy()
    kinds[crossings[:, -1]] = NodeKind.OUTFALL
    segments = replace(sewers.segments, flows=np.ones(east.shape[1], np.int8))
    return joined([water, Network(replace(sewers.nodes, kinds=kinds), segments)])


def _system(
    letter: str, code: str, side: int, ends: np.ndarray, aside: float, random: np.random.Generator
) -> Network:
    """Pipes along streets, so many metres beside the middle; water a metre deep, sewers below it."""
    rows, columns = np.divmod(np.arange(side * side), side)
    level = np.zeros(side * side)
    metres = np.column_stack([columns * _BLOCK + aside, rows * _BLOCK + aside, level])
    nodes = Nodes.bare(
        [f"{letter}N{row:07d}" for row in range(side * side)], _CORNER.to_geographic(metres)[:, :2]
    )
    count, drains = ends.shape[1], code == "WS"
    sizes = random.choice([0.1, 0.2, 0.3, 0.6], count)
    top = 7.0 - 0.002 * _BLOCK * (columns % 10) if drains else np.full(side * side, 9.0)
    return Network(
        replace(nodes, ground=np.full(side * side, 10.0)),
        replace(
            Segments.bare([f"{letter}{row:07d}" for row in range(count)], ends[0], ends[1]),
            elevations=top[ends.T],
            references=np.full(count, Reference.INVERT if drains else Reference.TOP, np.int8),
            widths=sizes, heights=sizes, lengths=np.full(count, _BLOCK),
            classes=Labels((code,), np.zeros(count, np.int32)),
            materials=Labels(("球墨铸铁", "PE", "钢"), random.integers(0, 3, size=(count,), dtype=np.int32)),
            years=random.integers(1960, 2026, size=(count,), dtype=np.int16),
        ),
    )  # fmt: skip


def _valves(segments: Segments, random: np.random.Generator) -> Valves:
    """A valve at every other end of a segment, at random."""
    ends = np.concatenate([segments.starts, segments.ends])
    chosen = np.flatnonzero(random.random(len(ends)) < 0.5)
    names = np.array([f"V{number:07d}" for number in range(len(chosen))], object)
    return Valves(names, chosen % len(segments), ends[chosen], np.arange(len(chosen)))


def side_by_side(folder: Path) -> dict[str, Any]:
    """A real network: seconds and findings of each question, by the product and by its peers."""
    model, valves = WATER / f"{MODEL}.inp", WATER / "oracle" / f"{VALVES}.csv"
    peers = environment("networks")
    done = run(
        [peers / "python", PEERS / "networks.py", model, valves, str(_REPEAT)], folder
    )  # fmt: skip
    if done.code != 0:
        raise RuntimeError(done.log)
    theirs = json.loads((folder / "stdout").read_text(encoding="utf-8"))
    network = real_network(model, valves)
    ours = {name: _repeated(ask) for name, ask in _questions(network).items()}
    return {"model": MODEL, "links": len(network.segments), "product": ours, "peers": theirs}


def real_network(model: Path, table: Path) -> Network:
    """A model of EPANET with the valves of a table."""
    found = water_network(read_water_model(read_text(model, model.name)), "JP")
    files = Files(model, model.name, ((table, table.name),))
    valves, _, _ = valves_of(files, found.network, found.said)
    return found.network if valves is None else replace(found.network, valves=valves)


def _questions(network: Network) -> dict[str, Callable[[], int]]:
    """The peers' questions; nothing is remembered from one time to the next."""
    segments, count = network.segments, len(network.nodes)

    def nearest() -> int:
        away, _ = Graph(network).nearest(NodeKind.SOURCE, "any", through_closed=True)
        return int(np.isfinite(away).sum())

    return {
        "parts between valves": lambda: Parts(network, through_closed=True).count,
        "connected parts": lambda: int(Graph(network).component(through_closed=True).max()) + 1,
        "the way to the nearest source, all nodes": nearest,
        "bridges": lambda: int(hanging(count, segments.starts, segments.ends).bridges.sum()),
        "articulation points": lambda: int(
            hanging(count, segments.starts, segments.ends).points.sum()
        ),
    }


def _repeated(ask: Callable[[], int]) -> dict[str, float]:
    wall = []
    for _ in range(_REPEAT):
        begin = time.perf_counter()
        found = ask()
        wall.append(time.perf_counter() - begin)
    return {"seconds": median(wall), "found": found}
