"""The catalogue's tree with the layers of a city in it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from cim_core.catalogue import Node, catalogue
from cim_core.store.layers import LayerVersion
from server.describe import collection

Branch = dict[str, Any]


def tree(versions: Sequence[LayerVersion]) -> list[Branch]:
    """Every place of the catalogue, each with the layers that stand there."""
    standing: dict[str, list[LayerVersion]] = defaultdict(list)
    for version in versions:
        standing[version.about.place].append(version)
    return [_branch(node, standing) for node in catalogue()]


def _branch(node: Node, standing: Mapping[str, list[LayerVersion]]) -> Branch:
    return {
        "id": node.id,
        "title": dict(node.title),
        "layers": [collection(version) for version in standing.get(node.id, ())],
        "children": [_branch(child, standing) for child in node.children],
    }
