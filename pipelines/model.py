"""A model of a water or drainage network as its file has it, before it is put on earth."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from cim_core.errors import InvalidInput
from cim_core.feature import Value
from cim_core.importers.attributes import unique_ids
from cim_core.layer import Dropped
from cim_core.mesh import Floats
from cim_core.network import Network, Rows, Texts
from pipelines.dictionary import pipe_class


@dataclass(slots=True)
class Model:
    """What a model's file holds.

    network
        In metres and litres per second; its places and bends are the file's own coordinates,
        whatever they are in, NaN where the file gives a node none.
    said
        What else the file says of a node or link, by its id as a feature; `model_id` is what the
        file calls it.
    map_unit
        What the file says its coordinates are in, in capitals: "FEET", "METERS", "DEGREES"; else
        "NONE" or nothing.
    metre
        One unit of the model's lengths in metres.
    """

    network: Network
    said: Mapping[str, Mapping[str, Value]]
    map_unit: str
    metre: float
    warnings: list[str] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)


def feature_ids(nodes: Iterable[str], links: Iterable[str]) -> tuple[list[str], list[str]]:
    """Ids of nodes and of links as features of one layer, all different.

    Models keep two lists of names: a node that is called as a link is gets "node-" before its name.

    >>> feature_ids(["10", "11"], ["10", "12"])
    (['node-10', '11'], ['10', '12'])
    """
    linked = unique_ids(links)
    taken = set(linked)
    apart = [f"node-{name}" if name in taken else name for name in nodes]
    return unique_ids([*linked, *apart])[len(linked) :], linked


def outer_of_neighbours(starts: Rows, ends: Rows, widths: Floats, nodes: int) -> Floats:
    """The largest width at either end of each link, (m,), of those that are known; inf if none is."""
    widest = np.full(nodes, -np.inf)
    for rows in (starts, ends):
        np.maximum.at(widest, rows, np.where(np.isnan(widths), -np.inf, widths))
    beside = np.maximum(widest[starts], widest[ends])
    return np.where(np.isneginf(beside), np.inf, beside)


def chosen_class(options: Mapping[str, str]) -> str | None:
    """The class of pipes the option `pipe_class` names, None without it; raises `InvalidInput`."""
    code = options.get("pipe_class")
    if code is not None and not pipe_class(code).system:
        raise InvalidInput(
            f"pipe_class={code} is no class of pipes; give its letters, such as JP, YS or WS"
        )
    return code


def rows_by_name(names: Texts) -> dict[str, int]:
    """The row of each name."""
    return {str(name): row for row, name in enumerate(names)}
