"""Two versions of a layer side by side: what stands in both, and whose description differs."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cim_core.store.database import Database


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list says of a feature.

    bbox
        west, south, bottom, east, north, top: degrees and metres in the city's vertical datum;
        None without geometry.
    """

    feature_class: str
    name: str
    bbox: tuple[float, float, float, float, float, float] | None


@dataclass(frozen=True, slots=True)
class Description:
    """All that a feature's row says in words; `attributes` and `property_sets` as stored (JSON)."""

    feature_class: str
    name: str
    parent: str | None
    attributes: str
    property_sets: str


class FeaturePairs:
    """Reading two versions of a layer against each other."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def listed(self, layer: str, version: int) -> Mapping[str, Listed]:
        """Every feature of a version by id, those without geometry too."""
        rows = self._database.connection.execute(
            # The envelope in the header of the GeoPackage binary, see `geopackage.encode`.
            "SELECT id, class, name, substr(geom, 9, 32) AS envelope, zmin, zmax FROM features"
            " WHERE layer = ? AND version = ?",
            (layer, version),
        )
        return {
            row["id"]: Listed(
                row["class"], row["name"], _box(row["envelope"], row["zmin"], row["zmax"])
            )
            for row in rows
        }

    def differing(
        self, layer: str, before: int, after: int
    ) -> Iterator[tuple[str, Description, Description]]:
        """(id, before, after) of the features in both versions whose descriptions are not equal."""
        rows = self._database.connection.execute(
            "SELECT a.id AS id, a.class, a.name, a.parent, a.attributes, a.property_sets,"
            " b.class, b.name, b.parent, b.attributes, b.property_sets"
            " FROM features a JOIN features b"
            "  ON b.layer = a.layer AND b.version = :after AND b.id = a.id"
            " WHERE a.layer = :layer AND a.version = :before AND ("
            "  a.class <> b.class OR a.name <> b.name OR a.parent IS NOT b.parent"
            "  OR a.attributes <> b.attributes OR a.property_sets <> b.property_sets)",
            {"layer": layer, "before": before, "after": after},
        )
        for row in rows:
            yield row["id"], Description(*row[1:6]), Description(*row[6:11])


def _box(
    envelope: bytes | None, bottom: float | None, top: float | None
) -> tuple[float, float, float, float, float, float] | None:
    if envelope is None or bottom is None or top is None:
        return None
    west, east, south, north = struct.unpack("<4d", envelope)
    return west, south, bottom, east, north, top
