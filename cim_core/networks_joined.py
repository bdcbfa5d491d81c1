"""Several pipe networks as one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cim_core.network import Labels, Network, Nodes, Rows, Segments, Valves


def joined(networks: Sequence[Network]) -> Network:
    """Several networks as one; nothing connects them, rows follow in the order given."""
    nodes = [network.nodes for network in networks]
    segments = [network.segments for network in networks]
    valves = [network.valves for network in networks]
    node_base = np.cumsum([0, *map(len, nodes)])
    segment_base = np.cumsum([0, *map(len, segments)])
    valve_base = np.cumsum([0, *map(len, valves)])
    bend_base = np.cumsum([0, *(len(part.bends) for part in segments)])
    bend_starts = [part.bend_starts[:-1] + base for part, base in zip(segments, bend_base, strict=False)]  # fmt: skip
    return Network(
        Nodes(**{name: _ended(nodes, name) for name in Nodes.__slots__}),
        replace(
            Segments(**{name: _ended(segments, name) for name in Segments.__slots__}),
            starts=_moved(segments, "starts", node_base),
            ends=_moved(segments, "ends", node_base),
            bend_starts=np.concatenate([*bend_starts, bend_base[-1:]]),
        ),
        Valves(
            _ended(valves, "ids"),
            _moved(valves, "segments", segment_base),
            _moved(valves, "nodes", node_base),
            _moved(valves, "valves", valve_base),
        ),
    )


def _ended(parts: Sequence[Any], name: str) -> Any:
    columns = [getattr(part, name) for part in parts]
    return joined_labels(columns) if isinstance(columns[0], Labels) else np.concatenate(columns)


def _moved(parts: Sequence[Any], name: str, bases: Rows) -> Rows:
    columns = [getattr(part, name) + base for part, base in zip(parts, bases, strict=False)]
    return np.concatenate([np.empty(0, np.int64), *columns])


def joined_labels(parts: Sequence[Labels]) -> Labels:
    """Labels of several networks, end to end."""
    known: dict[str, int] = {}
    codes = []
    for part in parts:
        number = [known.setdefault(name, len(known)) for name in part.names]
        codes.append(np.array([*number, -1], np.int32)[part.codes])
    return Labels(tuple(known), np.concatenate([np.empty(0, np.int32), *codes]))
