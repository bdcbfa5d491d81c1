"""The catalogue's tree with the layers of a city in it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from cim_core.catalogue import Node, catalogue
from cim_core.store.layers import LayerVersion
from server.describe import collection

Branch = dict[str, Any]


def tree(versions: Sequence[LayerVersion], prefix: Mapping[str, str]) -> list[Branch]:
    """Every place of the catalogue, each with the layers that stand there.

    `prefix` is what the addresses of the tiles of a layer begin with.
    """
    standing: dict[str, list[LayerVersion]] = defaultdict(list)
    for version in versions:
        standing[version.about.place].append(version)
    return [_branch(node, standing, prefix) for node in catalogue()]


def _branch(
    node: Node, standing: Mapping[str, list[LayerVersion]], prefix: Mapping[str, str]
) -> Branch:
    return {
        "id": node.id,
        "title": dict(node.title),
        "layers": [
            collection(version, prefix.get(version.layer, ""))
            for version in standing.get(node.id, ())
        ],
        "children": [_branch(child, standing, prefix) for child in node.children],
    }
