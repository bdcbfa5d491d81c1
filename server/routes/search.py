"""Finding things by name or id, over all layers."""

from collections import defaultdict
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from server.answers import json_answer
from server.documented import documented, returns
from server.state import CityDep, TakingDep

router = APIRouter(tags=["features"])


@router.get("/search", summary="Search all layers", **documented("read", returns("Hits")))
def search(
    city: CityDep,
    taking: TakingDep,
    q: Annotated[str, Query(min_length=1, max_length=200)],
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> Response:
    """Features by name or id: the exact id first, then names that begin so, then the rest."""
    rows = city.features.search(q.strip(), limit)
    found: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    for row in rows:
        found[row.layer, row.version].append(row.feature.id)
    taking.shows_all(found)
    return json_answer(
        {
            "hits": [
                {
                    "layer": row.layer, "id": row.feature.id, "class": row.feature.feature_class,
                    "name": row.feature.name, "storey": row.feature.attributes.get("storey"),
                    "bbox": row.bbox,
                }
                for row in rows
            ]
        }
    )  # fmt: skip
