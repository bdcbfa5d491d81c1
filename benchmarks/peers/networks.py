"""What wntr and networkx make of a water network with a layer of valves; run in an environment of its own.

`networks.py MODEL VALVES REPEAT` prints seconds and what was found as JSON.
"""

import csv
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import networkx as nx
import pandas as pd
import wntr


def measured(model: str, valves: str, repeat: int) -> dict[str, Any]:
    """Each question by the median of its seconds, and its answer."""
    network = wntr.network.WaterNetworkModel(model)
    graph = network.to_graph()
    plain = nx.MultiGraph()  # made of the other it would lose pipes laid the other way beside one
    for start, end, name in graph.edges(keys=True):
        length = getattr(network.get_link(name), "length", 0.0)
        plain.add_edge(start, end, key=name, length=length)
    with Path(valves).open(encoding="utf-8") as file:
        layer = pd.DataFrame(csv.DictReader(file))
    sources = [*network.reservoir_name_list, *network.tank_name_list]

    def segments() -> int:
        nodes, links, _ = wntr.metrics.valve_segments(graph, layer)
        return len(set(nodes) | set(links))

    def nearest() -> int:
        return len(nx.multi_source_dijkstra_path_length(plain, sources, weight="length"))

    asked: dict[str, Callable[[], int]] = {
        "parts between valves": segments,
        "connected parts": lambda: nx.number_connected_components(plain),
        "the way to the nearest source, all nodes": nearest,
        "bridges": lambda: sum(1 for _ in nx.bridges(plain)),
        "articulation points": lambda: sum(1 for _ in nx.articulation_points(plain)),
    }
    found: dict[str, Any] = {}
    for name, ask in asked.items():
        wall = []
        for _ in range(repeat):
            begin = time.perf_counter()
            answer = ask()
            wall.append(time.perf_counter() - begin)
        found[name] = {"seconds": median(wall), "found": answer}
    return found


if __name__ == "__main__":
    print(json.dumps(measured(sys.argv[1], sys.argv[2], int(sys.argv[3]))))  # noqa: T201
