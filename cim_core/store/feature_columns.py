"""All features of a version of a layer, column by column: for who asks a question of all of them."""

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from cim_core.mesh import Floats
from cim_core.sight import EVERYTHING, Sight
from cim_core.store.conditions import seen_rows
from cim_core.store.database import Database
from cim_core.store.geopackage import decode_all

Columns = Mapping[str, Floats | NDArray[np.object_]]


@dataclass(frozen=True, slots=True, eq=False)
class ColumnwiseFeatures:
    """The features with geometry of a version, in the order of their ids.

    ids, names, classes
        (n,) texts.
    shapes
        (n,) seen from above, degrees.
    columns
        Each attribute, (n,): float64 with NaN where a feature has none if all are numbers, else
        objects with None. Attributes that are lists or tables are left out.
    digests
        (n, 16) uint8: the same for features of the same id and shape, and for no others.
    """

    ids: NDArray[np.object_]
    names: NDArray[np.object_]
    classes: NDArray[np.object_]
    shapes: NDArray[np.object_]
    columns: Columns
    digests: NDArray[np.uint8]


class FeatureColumns:
    """Reads whole layers, as far as they are seen."""

    def __init__(self, database: Database, sight: Sight = EVERYTHING) -> None:
        self._database = database
        self._sight = sight

    def of(self, layer: str, version: int) -> ColumnwiseFeatures:
        """Every feature with geometry of a version, without property sets."""
        part = self._sight.part(layer)
        seen, values = seen_rows(part)
        rows = self._database.connection.execute(
            "SELECT f.id, f.name, f.class, f.geom, f.attributes FROM features f"
            f" WHERE f.layer = ? AND f.version = ? AND f.body = 1{seen} ORDER BY f.id",
            (layer, version, *values),
        ).fetchall()
        columns = _columns([row[4] for row in rows])
        return ColumnwiseFeatures(
            _texts([row[0] for row in rows]), _texts([row[1] for row in rows]),
            _texts([row[2] for row in rows]),
            shapely.force_2d(decode_all(row[3] for row in rows)),
            {name: values for name, values in columns.items() if not part.hides(name)},
            _digests(rows),
        )  # fmt: skip


def _texts(values: Sequence[str]) -> NDArray[np.object_]:
    found: NDArray[np.object_] = np.empty(len(values), object)
    found[:] = values
    return found


def _columns(attributes: Sequence[str]) -> Columns:
    found: dict[str, NDArray[np.object_]] = {}
    for row, text in enumerate(attributes):
        for name, value in orjson.loads(text).items():
            if value is None or isinstance(value, list | dict):
                continue
            if name not in found:
                found[name] = np.full(len(attributes), None, object)
            found[name][row] = value
    return {name: _numbers(values) for name, values in found.items()}


def _numbers(values: NDArray[np.object_]) -> Floats | NDArray[np.object_]:
    """Values as float64 if all there are are numbers, which yes and no are not."""
    if {type(value) for value in values} <= {int, float, type(None)}:
        return values.astype(np.float64)
    return values


def _digests(rows: Sequence[sqlite3.Row]) -> NDArray[np.uint8]:
    made = b"".join(
        hashlib.blake2b(row[0].encode() + b"\0" + row[3], digest_size=16).digest() for row in rows
    )
    return np.frombuffer(made, np.uint8).reshape(-1, 16)
