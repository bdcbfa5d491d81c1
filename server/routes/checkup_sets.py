"""The composer of indicators: inputs, drafts of sets, and indicators that are tried out."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from analysis.checkup.roles import city_roles
from server.answers import json_answer
from server.checkup.rights import AskingDep
from server.checkup.sets import FoundSet, found_set, freeze_set, put_set, read_indicator, remove_set
from server.checkup.trying import roles_told, tried
from server.documented import documented, returns
from server.json_body import JsonObject
from server.renewal.edits import IfMatch, version_of

router = APIRouter(tags=["check-up"])

SetPath = Annotated[str, Path(description="a set's id", alias="set")]
_SET = returns("CheckupSet", headers=("ETag",))


class Trial(BaseModel):
    """An indicator to be tried, and of which units it is to be told; its own if not told."""

    model_config = ConfigDict(extra="forbid", strict=True)

    indicator: JsonObject
    by: Literal["district", "town", "community", "estate", "building", "cell"] | None = None


@router.get(
    "/checkup/roles",
    summary="What formulas can be made of",
    **documented("read", returns("CheckupRoles")),
)
def list_roles(asking: AskingDep) -> Response:
    """Each input with its columns, and the layer that plays it here; `present` if it is seen."""
    return json_answer({"roles": roles_told(asking.city, city_roles(asking.city))})


@router.get(
    "/checkup/sets/{set}",
    summary="A set of indicators",
    **documented("read", _SET, problems=(404,)),
)
def get_set(key: SetPath, asking: AskingDep) -> Response:
    """As it is written, and with all of its base."""
    return _answer(found_set(asking.city, key))


@router.put(
    "/checkup/sets/{set}",
    summary="Begin or change the draft of a set",
    **documented("edit", _SET, returns("CheckupSet", 201, ("ETag",)), problems=(404, 409, 412)),
)
def change_set(
    key: SetPath, given: JsonObject, asking: AskingDep, if_match: IfMatch = ""
) -> Response:
    """Without If-Match a new one; 409 for an id that is or was taken, and for a frozen set.

    409 also where another draft that builds on it would not be whole any more.
    """
    asking.require("edit")
    asking.note.detail["set"] = key
    version = version_of(if_match) if if_match else None
    made = put_set(asking.city, key, given, version, asking.access.doer)
    asking.note.detail["version"] = made.version
    return _answer(made, 201 if version is None else 200)


@router.delete(
    "/checkup/sets/{set}",
    summary="Remove the draft of a set",
    **documented("edit", returns(status=204), problems=(404, 409, 412)),
)
def remove_draft(key: SetPath, asking: AskingDep, if_match: IfMatch = "") -> Response:
    """409 for a frozen one, which stays, and for one that another draft builds on."""
    asking.require("edit")
    asking.note.detail["set"] = key
    remove_set(asking.city, key, version_of(if_match), asking.access.doer)
    return Response(status_code=204)


@router.post(
    "/checkup/sets/{set}/freeze",
    summary="Freeze a set",
    **documented("manage", _SET, problems=(404, 409, 412)),
)
def freeze(key: SetPath, asking: AskingDep, if_match: IfMatch = "") -> Response:
    """From then on it never changes, nor does what it took over from its base."""
    asking.require("manage")
    asking.note.detail["set"] = key
    return _answer(freeze_set(asking.city, key, version_of(if_match), asking.access.doer))


@router.post(
    "/checkup/try",
    summary="Try an indicator",
    **documented("edit", returns("CheckupTrial")),
)
def try_indicator(given: Trial, asking: AskingDep) -> Response:
    """Its values from what is seen of the city now; nothing is kept."""
    asking.require("edit")
    indicator = read_indicator(asking.city, given.indicator)
    return json_answer(tried(asking.city, indicator, given.by))


def _answer(found: FoundSet, status: int = 200) -> Response:
    headers = {"etag": f'"{found.version}"'}
    return json_answer(found.document(), status=status, headers=headers)
