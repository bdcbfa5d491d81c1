"""Property tables: what a tile says of its features (EXT_structural_metadata)."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from cim_core.feature import Feature

CLASS = "feature"
Columns = dict[str, list[str]]


def columns(layer_id: str, features: Sequence[Feature], attributes: Sequence[str]) -> Columns:
    """The columns that travel with a tile: identity, and what viewers filter and colour by.

    Everything else stays in the registry and is served by feature id.
    """
    table: Columns = {
        "id": [feature.id for feature in features],
        "class": [feature.feature_class for feature in features],
        "name": [feature.name for feature in features],
        "layer": [layer_id] * len(features),
    }
    for name in attributes:
        values = [feature.attributes.get(name) for feature in features]
        table[name] = ["" if value is None else str(value) for value in values]
    return table


def schema(table: Columns) -> dict[str, object]:
    """The EXT_structural_metadata schema of such columns."""
    return {
        "id": "cim_twin",
        "classes": {
            CLASS: {"properties": {name: {"type": "STRING", "required": True} for name in table}}
        },
    }


def encode_strings(values: Sequence[str]) -> tuple[bytes, bytes]:
    """UTF-8 text end to end, and (n + 1) little-endian uint32 offsets into it."""
    encoded = [value.encode() for value in values]
    offsets = np.cumsum([0, *(len(item) for item in encoded)], dtype="<u4")
    return b"".join(encoded), offsets.tobytes()


def decode_strings(text: bytes, offsets: bytes) -> list[str]:
    """What `encode_strings` encoded."""
    ends = np.frombuffer(offsets, "<u4")
    return [text[a:b].decode() for a, b in pairwise(ends)]
