"""Layers and their features (OGC API – Features)."""

from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from cim_core.city import City
from cim_core.errors import NotFound
from cim_core.feature import Feature
from cim_core.store import features as store
from cim_core.store.features import FeatureRow
from server.answers import json_answer
from server.describe import (
    GEOJSON,
    collection,
    feature_collection,
    feature_detail,
    feature_summary,
    link,
)
from server.documented import LayerPath, VersionQuery, documented, returns
from server.exports import MEDIA_TYPES, ExportFormat, export
from server.parameters import parse_bbox
from server.routes.jobs import described
from server.state import CityDep, ExportCityDep, PrefixDep, TakingDep

router = APIRouter(tags=["layers"])

_LIMIT = 10_000
_OWN_PARAMETERS = {"bbox", "limit", "after", "class", "storey", "q", "ids", "f"}
_PAGE_OR_FILE = {
    GEOJSON: "FeatureCollection",
    **{
        media_type.partition(";")[0]: None
        for name, media_type in MEDIA_TYPES.items()
        if name != "geojson"
    },
}
_FILTERS = [
    {
        "name": "properties", "in": "query", "style": "form", "explode": True,
        "description": "any other name is that of an attribute or property, and its exact value",
        "schema": {"type": "object", "additionalProperties": {"type": "string"}},
    }
]  # fmt: skip


@router.get("/collections", summary="Every layer", **documented("read", returns("Collections")))
def list_collections(city: CityDep, prefixes: PrefixDep) -> Response:
    """Every layer in its current version."""
    versions = city.layers.current()
    prefix = prefixes(versions)
    layers = [collection(version, prefix.get(version.layer, "")) for version in versions]
    return json_answer({"collections": layers, "links": [link("/collections", "self")]})


@router.get(
    "/collections/{layer}",
    summary="One layer",
    **documented("read", returns("Collection"), problems=(404,)),
)
def get_collection(layer: LayerPath, city: CityDep, prefixes: PrefixDep) -> Response:
    """A layer in its current version."""
    version = city.layers.get(layer)
    return json_answer(collection(version, prefixes([version]).get(layer, "")))


@router.delete(
    "/collections/{layer}",
    summary="Remove a layer",
    **documented("manage", returns(status=204), problems=(404, 409)),
)
def remove_collection(layer: LayerPath, city: CityDep) -> Response:
    """Forget a layer and delete its files."""
    city.remove(layer)
    return Response(status_code=204)


@router.post(
    "/collections/{layer}/tiles",
    summary="Tile a layer again",
    **documented("manage", returns("Job", 202, ("Location",)), problems=(404,)),
)
def tile_collection(layer: LayerPath, city: CityDep) -> Response:
    """Tile a layer again from what the city keeps of it, as a job that makes a new version."""
    city.layers.get(layer)
    job = city.jobs.add("tile", layer, None, {"layer": layer})
    return json_answer(described(job), status=202, headers={"location": f"/jobs/{job.id}"})


@router.get(
    "/collections/{layer}/items",
    summary="Features of a layer",
    **documented(
        "read",
        returns(_PAGE_OR_FILE, headers=("X-Export-Id",)),
        problems=(404,),
        parameters=_FILTERS,
    ),
)
def list_items(
    layer: LayerPath,
    request: Request,
    city: CityDep,
    export_city: ExportCityDep,
    taking: TakingDep,
    bbox: Annotated[str | None, Query(description="w,s,e,n or w,s,zmin,e,n,zmax")] = None,
    limit: Annotated[int, Query(ge=1, description="at most 10,000 are given")] = 100,
    after: Annotated[str | None, Query(description="cursor from the next link")] = None,
    feature_class: Annotated[str | None, Query(alias="class")] = None,
    storey: str | None = None,
    q: Annotated[str | None, Query(description="part of a name or id")] = None,
    ids: Annotated[str | None, Query(description="ids with commas between them")] = None,
    f: Annotated[
        Literal["json"] | ExportFormat, Query(description="other than json: all of them, as a file")
    ] = "json",
) -> Response:
    """Features that have geometry, in the order of their ids, page by page or as a file."""
    known = city.layers.get(layer)
    version = known.version
    limit = min(limit, _LIMIT)
    box, heights = parse_bbox(bbox)
    given = dict(request.query_params)
    query = store.Query(
        bbox=box, heights=heights, feature_class=feature_class, storey=storey, text=q,
        properties={key: value for key, value in given.items() if key not in _OWN_PARAMETERS},
        ids=None if ids is None else tuple(ids.split(",")),
    )  # fmt: skip
    if f != "json":
        taking.require(layer)
        name = {"content-disposition": f'attachment; filename="{layer}.{f}"'}
        content = export(export_city, layer, version, query, f, taking.of(known))
        return Response(content, 200, name, MEDIA_TYPES[f])
    rows = city.features.find(layer, version, query, after=after, limit=limit + 1)
    page = rows[:limit]
    taking.shows(known, [row.feature.id for row in page])
    links = [link(f"/collections/{layer}/items?{urlencode(given)}", "self", GEOJSON)]
    if len(rows) > limit:
        further = urlencode({**given, "after": page[-1].feature.id, "limit": limit})
        links.append(link(f"/collections/{layer}/items?{further}", "next", GEOJSON))
    matched = known.summary["features"] if query.all else city.features.count(layer, version, query)
    return json_answer(
        feature_collection([feature_summary(row) for row in page], matched, links), GEOJSON
    )


@router.get(
    "/collections/{layer}/items/{item:path}",
    summary="One feature",
    **documented("read", returns({GEOJSON: "FeatureDetail"}), problems=(404,)),
)
def get_item(
    layer: LayerPath,
    item: str,
    city: CityDep,
    taking: TakingDep,
    version: VersionQuery = None,
) -> Response:
    """Everything known of one feature: attributes, property sets with units, provenance."""
    known = city.layers.version(layer, version)
    row = city.features.get(layer, known.version, item)
    taking.shows(known, [item])
    return json_answer(feature_detail(row, _related(city, row), known), GEOJSON)


def _related(city: City, row: FeatureRow) -> dict[str, Feature]:
    """The features a feature names: its parent and its storey."""
    found: dict[str, Feature] = {}
    for key in (row.feature.parent, row.feature.attributes.get("storey")):
        if isinstance(key, str) and key not in found:
            try:
                found[key] = city.features.get(row.layer, row.version, key).feature
            except NotFound:
                continue  # a model may name what it does not hold
    return found
