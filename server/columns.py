"""Attributes of a layer as they are told over HTTP, to style and filter by."""

import threading
from functools import lru_cache
from typing import Any

from cim_core.city import City
from cim_core.errors import NotFound
from cim_core.sight import Part
from cim_core.store.columns import Column, columns, values
from cim_core.store.layers import LayerVersion

_REMEMBERED = 32


class Columns:
    """Reads columns on demand and remembers the last ones: versions never change."""

    def __init__(self, city: City) -> None:
        self._database = city.database
        self._columns = lru_cache(maxsize=_REMEMBERED)(self._list)
        self._lock = threading.Lock()

    def list(self, version: LayerVersion) -> dict[str, Any]:
        """What the features of a version can be styled by."""
        with self._lock:  # two who ask at once wait for one answer
            return self._columns(version.layer, version.version, version.part)

    def values(self, version: LayerVersion, name: str) -> dict[str, Any]:
        """One column: the features that have a value, and their values; raises `NotFound`."""
        found = values(self._database, version.layer, version.version, name, version.part)
        if found is None:
            raise NotFound(f"no feature of the layer {version.layer!r} has a value of {name!r}")
        return {**_described(found.column), "ids": found.ids, "values": found.values}

    def _list(self, layer: str, version: int, part: Part) -> dict[str, Any]:
        found = columns(self._database, layer, version, part)
        return {"attributes": [_described(column) for column in found]}


def _described(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "kind": column.kind,
        "unit": column.unit,
        "count": column.count,
        "distinct": column.distinct,
        "minimum": column.minimum,
        "maximum": column.maximum,
    }
