"""OpenStreetMap extracts: roads, water, land use, buildings and places by their tags."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import shapely

from cim_core.errors import InvalidInput
from cim_core.feature import Feature
from cim_core.importers.attributes import scalars, unique_ids
from cim_core.importers.styles import table
from cim_core.importers.table_file import Table
from cim_core.importers.table_shapes import PlacedTable, Report, read_tables
from cim_core.importers.tables import vector_layer
from cim_core.layer import Layer, Placement, Source
from cim_core.progress import Progress

_TAG = re.compile(r'"((?:[^"\\]|\\.)*)"=>"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")

_ELEMENTS = {"points": "node", "lines": "way"}
"""What the tables of GDAL's driver hold; all others hold relations, or ways that are areas."""

_ABOUT_ITSELF = ("osm_id", "osm_way_id", "z_order", "other_tags")
_KINDS = {0: "point", 1: "line", 2: "area"}


@dataclass(frozen=True, slots=True)
class OsmImporter:
    """Reads OpenStreetMap PBF; each feature keeps its tags and its id ("way/4252")."""

    def recognises(self, path: Path) -> bool:
        """Whether it begins with the header block of an OSM PBF file."""
        with path.open("rb") as file:
            return b"OSMHeader" in file.read(64)

    def __call__(self, source: Source, placement: Placement, progress: Progress) -> Layer:
        """Import a file; broken rings, as at the edge of an extract, are reported in the layer.

        Raises `InvalidInput` when the file as a whole cannot be imported.
        """
        if not self.recognises(source.path):
            raise InvalidInput(
                f"{source.filename} does not begin as OpenStreetMap PBF does; download it again"
            )
        report = Report()
        tables = read_tables(source, placement, progress, report)
        things = [thing for item in tables for thing in _features(item, progress)]
        ids = unique_ids(feature.id for feature in things)
        features = [
            feature if feature.id == own else _renamed(feature, own)
            for feature, own in zip(things, ids, strict=True)
        ]
        return vector_layer(source, placement, features, tables, report)


def _renamed(feature: Feature, own: str) -> Feature:
    return Feature(
        own, feature.feature_class, feature.name, None, feature.attributes, shape=feature.shape
    )


def _features(item: PlacedTable, progress: Progress) -> list[Feature]:
    found = []
    for number, (row, shape) in enumerate(zip(item.kept.tolist(), item.shapes, strict=True)):
        if number % 1000 == 0:
            progress(number, len(item.kept), "properties")
        values = item.table.row(row)
        tags = tags_of(values)
        feature_id = _id(item.table, values)
        kind = class_of(tags, _KINDS.get(shapely.get_dimensions(shape), "area"))
        found.append(
            Feature(
                feature_id, kind, tags.get("name", feature_id), None,
                scalars({key: value for key, value in tags.items() if key != "name"}), shape=shape,
            )
        )  # fmt: skip
    return found


def _id(item: Table, values: Mapping[str, Any]) -> str:
    way = values.get("osm_way_id")
    if way:
        return f"way/{way}"
    return f"{_ELEMENTS.get(item.name, 'relation')}/{values['osm_id']}"


def tags_of(values: Mapping[str, Any]) -> dict[str, str]:
    """All tags of an element: those GDAL gives a column and those in its `other_tags`.

    >>> tags_of({"osm_id": "1", "highway": "primary", "name": None, "other_tags": '"lanes"=>"2"'})
    {'highway': 'primary', 'lanes': '2'}
    """
    tags = {
        key: str(value)
        for key, value in values.items()
        if value not in (None, "") and key not in _ABOUT_ITSELF
    }
    others = values.get("other_tags") or ""
    tags.update({_plain(key): _plain(value) for key, value in _TAG.findall(others)})
    return tags


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


def class_of(tags: Mapping[str, str], kind: str) -> str:
    """The class of an element by its tags; `kind` is "point", "line" or "area".

    >>> class_of({"highway": "residential", "lanes": "2"}, "line")
    'LocalStreet'
    """
    for rule in _rules():
        value = tags.get(rule["tag"])
        if value is None or rule.get("only", kind) != kind:
            continue
        if value in rule["values"] if "values" in rule else value != "no":
            return str(rule["class"])
    return "Other"


@lru_cache
def _rules() -> tuple[Mapping[str, Any], ...]:
    return tuple(table("osm_tags.toml")["rule"])
