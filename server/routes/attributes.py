"""The attributes of a layer, column by column."""

from fastapi import APIRouter
from fastapi.responses import Response

from cim_core.importers.styles import table
from server.answers import json_answer
from server.documented import LayerPath, documented, returns
from server.state import CityDep, StateDep

router = APIRouter(tags=["layers"])


@router.get(
    "/collections/{layer}/attributes",
    summary="What a layer can be styled by",
    **documented("read", returns("Attributes"), problems=(404,)),
)
def list_attributes(layer: LayerPath, city: CityDep, state: StateDep) -> Response:
    """Every attribute and property of its features: kind, unit, how many have it, least and most."""
    version = city.layers.get(layer)
    return json_answer(state.columns.list(version))


@router.get(
    "/collections/{layer}/attributes/{name:path}",
    summary="One attribute of all features",
    **documented("read", returns("AttributeValues"), problems=(404,)),
)
def get_attribute(layer: LayerPath, name: str, city: CityDep, state: StateDep) -> Response:
    """The ids of the features that have a value, and the values in the same order."""
    version = city.layers.get(layer)
    return json_answer(state.columns.values(version, name))


@router.get(
    "/point-classes",
    summary="Classes of measured points",
    **documented("read", returns("PointClasses")),
)
def list_point_classes() -> Response:
    """The classes of points by code: names in both languages, colours as they are drawn."""
    return json_answer({"classes": table("point_classes.toml")})
