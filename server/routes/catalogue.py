"""The catalogue: where layers stand, what is known about them, how they look."""

from typing import Annotated

from fastapi import APIRouter, Body, Query
from fastapi.responses import Response

from cim_core.about import about_changes
from server.answers import json_answer
from server.catalogue import tree
from server.describe import GEOJSON, collection, feature_collection, feature_summary, link
from server.documented import LayerPath, documented, returns
from server.json_body import JsonObject
from server.parameters import parse_place
from server.pictures import thumbnail
from server.state import AccessDep, CityDep, PrefixDep, TakingDep

router = APIRouter(tags=["layers"])


@router.get(
    "/catalogue",
    summary="Every layer in its place in the catalogue",
    **documented("read", returns("Catalogue")),
)
def get_catalogue(city: CityDep, prefixes: PrefixDep) -> Response:
    """The catalogue's tree with the layers that stand at each place."""
    versions = city.layers.current()
    body = {"tree": tree(versions, prefixes(versions)), "links": [link("/catalogue", "self")]}
    return json_answer(body)


@router.patch(
    "/collections/{layer}",
    summary="Say something about a layer",
    **documented("edit", returns("Collection"), problems=(404, 409)),
)
def describe_collection(
    layer: LayerPath,
    changes: Annotated[JsonObject, Body(description="null takes back what was said")],
    city: CityDep,
    access: AccessDep,
    prefixes: PrefixDep,
) -> Response:
    """Keep what is said about a layer, with a receipt; it takes no new version."""
    said_anew = about_changes(changes)
    if {"sensitivity", "department", "cim_level"} & said_anew.keys():
        access.require("manage", layer)  # they decide who sees it, and what counts as taken out
    receipt = city.describe(layer, said_anew)
    version = city.layers.get(layer)
    described = collection(version, prefixes([version]).get(layer, ""))
    said = link(f"/receipts/{receipt.id}", "describedby", title="receipt of this change")
    return json_answer({**described, "links": [*described["links"], said]})


@router.get(
    "/collections/{layer}/thumbnail",
    summary="A small picture of a layer",
    **documented("read", returns({"image/png": None, "image/svg+xml": None}), problems=(404,)),
)
def get_thumbnail(layer: LayerPath, city: CityDep) -> Response:
    """320 × 200 pixels of PNG, or a sign as SVG where this machine cannot paint."""
    content, media_type = thumbnail(city, city.layers.get(layer))
    return Response(content, media_type=media_type, headers={"cache-control": "no-cache"})


@router.get(
    "/collections/{layer}/nearest",
    summary="The features nearest to a place",
    **documented("read", returns({GEOJSON: "FeatureCollection"}), problems=(404,)),
)
def nearest(
    layer: LayerPath,
    city: CityDep,
    taking: TakingDep,
    point: Annotated[str, Query(description="lon,lat")],
    limit: Annotated[int, Query(ge=1, le=1000)] = 10,
) -> Response:
    """The nearest features first, each with its `distance` in metres, at most 100 km away."""
    lon, lat = parse_place(point)
    known = city.layers.get(layer)
    found = city.feature_places.nearest(layer, known.version, lon, lat, limit)
    taking.shows(known, [row.feature.id for row, _ in found])
    features = []
    for row, metres in found:
        described = feature_summary(row)
        features.append(
            {**described, "properties": {**described["properties"], "distance": round(metres, 3)}}
        )
    links = [link(f"/collections/{layer}/nearest?point={lon},{lat}&limit={limit}", "self", GEOJSON)]
    return json_answer(feature_collection(features, len(features), links), GEOJSON)
