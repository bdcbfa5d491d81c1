"""Property tables: what a tile says of its features (EXT_structural_metadata)."""

import re
import zlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cim_core.feature import Feature

CLASS = "feature"
Columns = dict[str, list[str]]

_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NO_LETTER = re.compile(r"[^A-Za-z0-9_]")

_ENUM_TYPES: dict[str, Any] = {"UINT8": np.dtype("<u1"), "UINT16": np.dtype("<u2")}


def columns(
    layer_id: str, features: Sequence[Feature], attributes: Sequence[str], *, far: bool
) -> Columns:
    """The columns that travel with a tile: identity, and what viewers filter and colour by.

    A `far` tile says no more than viewers must know to hide and colour: not the names. All else
    stays in the registry and is served by feature id.
    """
    table: Columns = {
        "id": [feature.id for feature in features],
        "class": [feature.feature_class for feature in features],
    }
    if not far:
        table["name"] = [feature.name for feature in features]
    table["layer"] = [layer_id] * len(features)
    for name in attributes:
        values = [feature.attributes.get(name) for feature in features]
        table[name] = ["" if value is None else str(value) for value in values]
    return table


def property_id(name: str) -> str:
    """The id of a property for an attribute's name: EXT_structural_metadata allows few letters.

    >>> property_id("height"), property_id("层数")
    ('height', 'p____f7841547')
    """
    if _ID.fullmatch(name):
        return name
    return f"p_{_NO_LETTER.sub('_', name)}_{zlib.crc32(name.encode()):08x}"


def named_values(values: Sequence[str]) -> list[str] | None:
    """The different values of a column that repeats itself; None where text is as short."""
    different = sorted(set(values))
    repeated = len(different) <= max(1, len(values) // 2) and len(different) <= 65_536
    # An enumeration's names must not be empty for some readers: such columns stay text.
    return different if repeated and "" not in different else None


def schema(table: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The EXT_structural_metadata schema of such columns: repeated values are enumerations."""
    properties: dict[str, Any] = {}
    enums: dict[str, Any] = {}
    for name, values in table.items():
        names, key = named_values(values), property_id(name)
        called = {} if key == name else {"name": name}
        if names is None:
            properties[key] = {**called, "type": "STRING", "required": True}
            continue
        properties[key] = {**called, "type": "ENUM", "enumType": key, "required": True}
        enums[key] = {
            "valueType": "UINT8" if len(names) <= 256 else "UINT16",
            "values": [{"name": text, "value": value} for value, text in enumerate(names)],
        }
    described = {"id": "cim_twin", "classes": {CLASS: {"properties": properties}}}
    return {**described, "enums": enums} if enums else described


def encode_strings(values: Sequence[str]) -> tuple[bytes, bytes]:
    """UTF-8 text end to end, and (n + 1) little-endian uint32 offsets into it."""
    encoded = [value.encode() for value in values]
    offsets = np.cumsum([0, *(len(item) for item in encoded)], dtype="<u4")
    return b"".join(encoded), offsets.tobytes()


def decode_strings(text: bytes, offsets: bytes) -> list[str]:
    """What `encode_strings` encoded."""
    ends = np.frombuffer(offsets, "<u4")
    return [text[a:b].decode() for a, b in pairwise(ends)]


def encode_enum(values: Sequence[str], enum: Mapping[str, Any]) -> bytes:
    """The numbers of a column's values in an enumeration of the schema."""
    number = {item["name"]: item["value"] for item in enum["values"]}
    numbers: NDArray[Any] = np.array(
        [number[value] for value in values], _ENUM_TYPES[enum["valueType"]]
    )
    return numbers.tobytes()


def decode_enum(data: bytes, enum: Mapping[str, Any]) -> list[str]:
    """What `encode_enum` encoded."""
    names = {item["value"]: item["name"] for item in enum["values"]}
    return [
        names[number] for number in np.frombuffer(data, _ENUM_TYPES[enum["valueType"]]).tolist()
    ]
