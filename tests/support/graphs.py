"""Small networks at random, with all that makes graphs hard, and the real ones with their valves."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from cim_core.network import Labels, Network, NodeKind, Nodes, Segments, Valves
from pipelines.inp import read_water_model
from pipelines.inp_text import read_text
from pipelines.model_files import Files, valves_of
from pipelines.water_model import water_network

KINDS = (NodeKind.JOINT, NodeKind.JOINT, NodeKind.VALVE, NodeKind.SOURCE, NodeKind.OUTFALL)


@st.composite
def networks(draw: st.DrawFn, *, valves: bool = True) -> Network:
    """Networks with parallel segments, loops, lone nodes, closed links, flows and valves."""
    count = draw(st.integers(1, 8))
    node = st.integers(0, count - 1)
    edges = draw(st.lists(st.tuples(node, node), max_size=14))
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=count, max_size=count))
    size = len(edges)

    def each(values: st.SearchStrategy) -> list:
        return draw(st.lists(values, min_size=size, max_size=size))

    nodes = replace(
        Nodes.bare([f"N{row}" for row in range(count)], np.zeros((count, 2))),
        kinds=np.array(kinds, np.int8), demand=2.0 ** np.arange(count),
        users=np.where(np.arange(count) % 3, 10.0, np.nan),
    )  # fmt: skip
    ends = np.array(edges, np.int64).reshape(-1, 2)
    segments = replace(
        Segments.bare([f"S{row}" for row in range(size)], ends[:, 0], ends[:, 1]),
        lengths=np.array(each(st.integers(0, 9)), float), widths=np.full(size, 0.2),
        heights=np.full(size, 0.2), flows=np.array(each(st.sampled_from((-1, 0, 1))), np.int8),
        closed=np.array(each(st.sampled_from((False, False, False, True))), bool),
        classes=Labels(("JP", "WS"), np.array(each(st.sampled_from((-1, 0, 1))), np.int32)),
    )  # fmt: skip
    return Network(nodes, segments, draw(_valves(edges)) if valves and edges else Network(nodes, segments).valves)  # fmt: skip


@st.composite
def _valves(draw: st.DrawFn, edges: list[tuple[int, int]]) -> Valves:
    """Valves of one cut, and some that cut two segments from one node."""
    ends = sorted({(row, end) for row, edge in enumerate(edges) for end in edge})
    cuts = draw(st.lists(st.sampled_from(ends), unique=True, max_size=8))
    rows: list[tuple[int, int, int]] = []
    for segment, node in cuts:
        same = [valve for _, at, valve in rows if at == node]
        joins = bool(same) and draw(st.booleans())
        valve = same[0] if joins else len({valve for *_, valve in rows})
        rows.append((segment, node, valve))
    table = np.array(rows, np.int64).reshape(-1, 3)
    count = len({valve for *_, valve in rows})
    names = np.array([f"V{row}" for row in range(count)], object)
    return Valves(names, table[:, 0], table[:, 1], table[:, 2])


@dataclass(frozen=True)
class WaterModel:
    """A network, and the rows of its links and nodes by the ids the model has for them."""

    network: Network
    links: dict[str, int]
    nodes: dict[str, int]


def water_model(data: Path, name: str, layer: str | None = None) -> WaterModel:
    """A model of EPANET of the shared data, with a layer of valves of its folder of oracles."""
    path = data / "water" / f"{name}.inp"
    model = water_network(read_water_model(read_text(path, path.name)), "JP")
    network = model.network
    if layer is not None:
        table = data / "water" / "oracle" / f"{layer}.csv"
        files = Files(path, path.name, ((table, table.name),))
        valves, dropped, warnings = valves_of(files, network, model.said)
        assert valves is not None
        assert not dropped
        assert not warnings
        network = replace(network, valves=valves)

    def rows_of(ids: np.ndarray) -> dict[str, int]:
        said = [model.said.get(name, {}).get("model_id", name) for name in ids.tolist()]
        return {str(name): row for row, name in enumerate(said)}

    return WaterModel(network, rows_of(network.segments.ids), rows_of(network.nodes.ids))
