"""The catalogue: where layers stand, what is known about them, how they look."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from fastapi.responses import Response

from cim_core.about import about_changes
from server.answers import json_answer
from server.catalogue import tree
from server.describe import GEOJSON, collection, feature_collection, feature_summary, link
from server.parameters import parse_place
from server.pictures import thumbnail
from server.state import CityDep

router = APIRouter(tags=["layers"])


@router.get("/catalogue", summary="Every layer in its place in the catalogue")
def get_catalogue(city: CityDep) -> Response:
    """The catalogue's tree with the layers that stand at each place."""
    return json_answer({"tree": tree(city.layers.current()), "links": [link("/catalogue", "self")]})


@router.patch("/collections/{layer}", summary="Say something about a layer")
def describe_collection(
    layer: str,
    changes: Annotated[dict[str, Any], Body(description="null takes back what was said")],
    city: CityDep,
) -> Response:
    """Keep what is said about a layer, with a receipt; it takes no new version."""
    receipt = city.describe(layer, about_changes(changes))
    described = collection(city.layers.get(layer))
    said = link(f"/receipts/{receipt.id}", "describedby", title="receipt of this change")
    return json_answer({**described, "links": [*described["links"], said]})


@router.get("/collections/{layer}/thumbnail", summary="A small picture of a layer")
def get_thumbnail(layer: str, city: CityDep) -> Response:
    """320 × 200 pixels of PNG, or a sign as SVG where this machine cannot paint."""
    content, media_type = thumbnail(city, city.layers.get(layer))
    return Response(content, media_type=media_type, headers={"cache-control": "no-cache"})


@router.get("/collections/{layer}/nearest", summary="The features nearest to a place")
def nearest(
    layer: str,
    city: CityDep,
    point: Annotated[str, Query(description="lon,lat")],
    limit: Annotated[int, Query(ge=1, le=1000)] = 10,
) -> Response:
    """The nearest features first, each with its `distance` in metres, at most 100 km away."""
    lon, lat = parse_place(point)
    version = city.layers.get(layer).version
    found = city.feature_places.nearest(layer, version, lon, lat, limit)
    features = []
    for row, metres in found:
        described = feature_summary(row)
        features.append(
            {**described, "properties": {**described["properties"], "distance": round(metres, 3)}}
        )
    links = [link(f"/collections/{layer}/nearest?point={lon},{lat}&limit={limit}", "self", GEOJSON)]
    return json_answer(feature_collection(features, len(features), links), GEOJSON)
