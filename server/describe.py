"""What is told of layers and features, over HTTP and on the command line alike."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

import shapely

from cim_core.feature import Feature, Value
from cim_core.sight import Part
from cim_core.store.features import FeatureRow
from cim_core.store.layers import LayerVersion, RollBack

GEOJSON = "application/geo+json"
GLB = "model/gltf-binary"
MVT = "application/vnd.mapbox-vector-tile"
_OGC = "http://www.opengis.net/def/rel/ogc/1.0/"

DRAWN = frozenset({"model", "points", "tileset", "textured", "network"})
"""The kinds of layers that are drawn as 3D Tiles."""


def link(
    href: str, rel: str, media_type: str = "application/json", title: str = ""
) -> dict[str, str]:
    """A link as OGC API answers carry them."""
    return {"href": href, "rel": rel, "type": media_type, **({"title": title} if title else {})}


def collection(version: LayerVersion, prefix: str = "") -> dict[str, Any]:
    """A layer as an OGC API collection, with what a viewer needs to draw it.

    `prefix` is what the addresses of its tiles begin with. Of a layer that is seen only in part
    there are map tiles only, as of one that is flat.
    """
    summary = version.summary
    base = f"/collections/{version.layer}"
    kind = summary.get("kind", "model")
    drawn = kind in DRAWN and version.part.whole
    tileset = f"{prefix}/t/{version.layer}/{version.version}/tileset.json" if drawn else None
    return {
        "id": version.layer,
        "title": version.title,
        "itemType": "feature",
        "kind": kind,
        **asdict(version.about),
        "extent": {
            "spatial": {
                "bbox": [_box(version)] if summary["bbox"] else [],
                "crs": f"http://www.opengis.net/def/crs/OGC/0/CRS84{'h' * version.part.heights}",
            },
            "temporal": {"interval": [_interval(version.about.date)]},
        },
        "numberOfFeatures": summary["features"],
        "part": _part(version.part),
        "version": version.version,
        "published": version.published,
        "receipt": version.receipt,
        "georeference": summary["georeference"],
        "classes": [{"class": name, **style} for name, style in summary["classes"].items()],
        "storeys": summary["storeys"],
        "tileset": {"href": tileset, **summary["tileset"]} if tileset else None,
        "checkin": checkin_summary(version.layer, version.version, summary.get("checkin")),
        "links": [
            link(base, "self"),
            link(f"{base}/items", "items", GEOJSON),
            *_tile_links(version, tileset, prefix),
            link(f"{base}/thumbnail", "preview", "image/png"),
            link(f"/receipts/{version.receipt}", "describedby", title="receipt"),
        ],
    }


def _box(version: LayerVersion) -> list[float] | None:
    """Its extent, without heights where they are not shown."""
    box = version.summary["bbox"]
    return box if box is None or version.part.heights else [*box[:2], *box[3:5]]


def _part(part: Part) -> dict[str, Value] | None:
    """What somebody sees of a layer; None for all of it."""
    if part.whole:
        return None
    area = None if part.area is None else "town"
    return {"hidden": list(part.without), "heights": part.heights, "area": area}


def _tile_links(version: LayerVersion, tileset: str | None, prefix: str) -> list[dict[str, str]]:
    """By what a layer can be drawn; map tiles by the templates of their addresses."""
    if tileset is not None:
        return [link(tileset, f"{_OGC}tileset", title="3D Tiles 1.1")]
    maps = f"{prefix}/tiles/{version.layer}/{version.version}/{{z}}/{{x}}/{{y}}"
    pictures = link(f"{maps}.png", f"{_OGC}tilesets-map", "image/png", "XYZ, Web Mercator")
    match version.summary.get("kind"):
        case "terrain":
            layer_json = f"{prefix}/t/{version.layer}/{version.version}/files/terrain/layer.json"
            return [link(layer_json, f"{_OGC}tileset", title="quantized-mesh 1.0"), pictures]
        case kind if kind == "vector" or not version.part.whole:
            shapes = link(f"{maps}.mvt", f"{_OGC}tilesets-vector", MVT, "XYZ, Web Mercator")
            return [shapes, pictures]
        case _:
            return [pictures]


def _interval(day: str | None) -> list[str | None]:
    """The time from a date (a year, a month or a day) on, without an end; both open without one."""
    return [f"{(day + '-01-01')[:10]}T00:00:00Z" if day else None, None]


def checkin_summary(
    layer: str, version: int, counts: Mapping[str, int] | None
) -> dict[str, Value] | None:
    """What a version says of its check-in report; None where it has none."""
    if counts is None:
        return None
    return {"counts": dict(counts), "href": f"/collections/{layer}/versions/{version}/checkin"}


def version_entry(version: LayerVersion, prefix: str = "") -> dict[str, Any]:
    """A version in the list of a layer's versions."""
    return {
        "version": version.version,
        "title": version.title,
        "published": version.published,
        "receipt": version.receipt,
        "features": version.summary["features"],
        "checkin": checkin_summary(version.layer, version.version, version.summary.get("checkin")),
        **version.summary["tileset"],
        "current": version.current,
        "tileset": f"{prefix}/t/{version.layer}/{version.version}/tileset.json",
    }


def roll_back_entry(back: RollBack) -> dict[str, Any]:
    """A roll-back in the list of a layer's versions."""
    return {
        "when": back.when, "who": back.who, "from": back.before, "to": back.after,
        "receipt": back.receipt,
    }  # fmt: skip


def feature_summary(row: FeatureRow) -> dict[str, Any]:
    """A feature in a list: GeoJSON with its class, name and attributes."""
    feature = row.feature
    return {
        "type": "Feature",
        "id": feature.id,
        "geometry": None if row.footprint is None else shapely.geometry.mapping(row.footprint),
        "bbox": row.bbox,
        "properties": {
            "class": feature.feature_class, "name": feature.name, "parent": feature.parent,
            **feature.attributes, "zmin": row.zmin, "zmax": row.zmax,
        },
    }  # fmt: skip


def feature_detail(
    row: FeatureRow, related: Mapping[str, Feature], version: LayerVersion
) -> dict[str, Any]:
    """Everything known of a feature of a version; `related` are features it names, by id."""
    feature = row.feature
    parent, storey = (
        related.get(str(key)) for key in (feature.parent, feature.attributes.get("storey"))
    )
    properties: dict[str, Value | dict[str, str]] = {
        "class": feature.feature_class, "name": feature.name, "type": None, "system": [], "material": [],
        **feature.attributes,
        "storey": {"id": storey.id, "name": storey.name} if storey else None,
        "parent": _reference(parent) if parent else None,
        "zmin": row.zmin, "zmax": row.zmax,
    }  # fmt: skip
    base = f"/collections/{row.layer}"
    of_version = "" if version.current else f"?version={version.version}"
    return {
        **feature_summary(row),
        "properties": properties,
        "property_sets": [
            {
                "name": pset.name,
                "kind": pset.kind,
                "properties": [
                    {"name": item.name, "value": item.value, "unit": item.unit}
                    for item in pset.properties
                ],
            }
            for pset in feature.property_sets
        ],
        "layer": row.layer,
        "version": row.version,
        "receipt": version.receipt,
        "links": [
            link(f"{base}/items/{quote(feature.id)}{of_version}", "self", GEOJSON),
            link(base, "collection"),
            link(f"/receipts/{version.receipt}", "describedby", title="receipt"),
            *(
                [link(f"{base}/geometry/{quote(feature.id)}{of_version}", "enclosure", GLB)]
                if row.footprint is not None
                else []
            ),
        ],
    }


def _reference(feature: Feature) -> dict[str, str]:
    return {"id": feature.id, "class": feature.feature_class, "name": feature.name}


def feature_collection(
    features: Sequence[dict[str, Any]], matched: int, links: Sequence[dict[str, str]]
) -> dict[str, Any]:
    """A page of features."""
    return {
        "type": "FeatureCollection",
        "features": features,
        "numberMatched": matched,
        "numberReturned": len(features),
        "links": links,
    }
