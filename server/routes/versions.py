"""The versions of a layer: which are kept, what differs between two, and the way back."""

from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from server import comparisons
from server.answers import json_answer
from server.describe import GEOJSON, link, roll_back_entry, version_entry
from server.documented import JSON, LARGEST, LayerPath, documented, returns
from server.state import CityDep, PrefixDep, StateDep, TakingDep

router = APIRouter(tags=["versions"])

_LIMIT = 10_000
_CHANGES = {JSON: "Comparison", GEOJSON: "FeatureCollection", "text/csv": None}

From = Annotated[int, Query(alias="from", ge=1, le=LARGEST, description="the older version")]
To = Annotated[int, Query(alias="to", ge=1, le=LARGEST, description="the newer version")]


class Served(BaseModel):
    """Which version is to be served."""

    version: int = Field(ge=1, le=LARGEST)


@router.get(
    "/collections/{layer}/versions",
    summary="A layer's versions",
    **documented("read", returns("Versions"), problems=(404,)),
)
def list_versions(layer: LayerPath, city: CityDep, prefixes: PrefixDep) -> Response:
    """The kept versions, newest first, and the roll-backs, latest first."""
    versions = city.layers.versions(layer)
    prefix = prefixes(versions[:1]).get(layer, "")
    return json_answer(
        {
            "versions": [version_entry(item, prefix) for item in versions],
            "rollbacks": [roll_back_entry(item) for item in city.layers.roll_backs(layer)],
        }
    )


@router.put(
    "/collections/{layer}/versions/current",
    summary="Serve a kept version",
    **documented("manage", returns("Version"), problems=(404, 409)),
)
def serve_version(layer: LayerPath, served: Served, city: CityDep, prefixes: PrefixDep) -> Response:
    """Make a kept version the one that is served, at once; nothing happens if it is that already.

    Nothing is removed. An import that is running goes on, and serves its version when it ends.
    """
    receipt = city.roll_back(layer, served.version)
    version = city.layers.version(layer, served.version)
    entry = version_entry(version, prefixes([version]).get(layer, ""))
    return json_answer({**entry, "rollback": receipt.id if receipt else None})


@router.get(
    "/collections/{layer}/comparison",
    summary="What differs between two versions",
    **documented("read", returns(_CHANGES), problems=(404, 409)),
)
def compare(
    layer: LayerPath,
    request: Request,
    city: CityDep,
    state: StateDep,
    taking: TakingDep,
    before: From,
    after: To,
    kind: Annotated[str | None, Query(description="kinds, with commas")] = None,
    feature_class: Annotated[str | None, Query(alias="class")] = None,
    limit: Annotated[int, Query(ge=1, description="at most 10,000 are given")] = 100,
    cursor: Annotated[str | None, Query(alias="after", description="from the next link")] = None,
    f: Literal["json", "geojson", "csv"] = "json",
) -> Response:
    """Features by id: added, removed, moved, with another geometry, with other properties."""
    kinds = comparisons.parse_kinds(kind)
    comparison = state.comparisons.get(city, layer, before, after)
    changes = comparisons.chosen(comparison, kinds, feature_class)
    if f == "csv":
        taking.require(layer)
        taking.shows_all(comparisons.places(comparison, changes))
        taking.file()
        name = f"{layer}-{before}-{after}.csv"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(comparisons.table(changes), 200, headers, "text/csv; charset=utf-8")
    rest = [change for change in changes if cursor is None or change.id > cursor]
    page = rest[: min(limit, _LIMIT)]
    taking.shows_all(comparisons.places(comparison, page))
    given = dict(request.query_params)
    media = GEOJSON if f == "geojson" else "application/json"
    links = [link(f"/collections/{layer}/comparison?{urlencode(given)}", "self", media)]
    if len(rest) > len(page):
        further = urlencode({**given, "after": page[-1].id})
        links.append(link(f"/collections/{layer}/comparison?{further}", "next", media))
    paging = {"numberMatched": len(changes), "numberReturned": len(page), "links": links}
    if f == "geojson":
        features = [comparisons.feature(city, comparison, change) for change in page]
        return json_answer({"type": "FeatureCollection", "features": features, **paging}, GEOJSON)
    entries = [comparisons.entry(change) for change in page]
    return json_answer({**comparisons.head(comparison), "changes": entries, **paging})


@router.get(
    "/collections/{layer}/comparison/ids",
    summary="The ids of every kind of change",
    **documented("read", returns("ChangedIds"), problems=(404, 409)),
)
def compare_ids(
    layer: LayerPath, city: CityDep, state: StateDep, before: From, after: To
) -> Response:
    """What a viewer needs to colour a model, however much has changed."""
    return json_answer(comparisons.ids_by_kind(state.comparisons.get(city, layer, before, after)))
