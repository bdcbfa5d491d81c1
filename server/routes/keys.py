"""Keys: what programs sign in with."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from cim_core.errors import Forbidden, NotFound
from cim_core.store.office_keys import LONGEST_DAYS
from server.access.notes import note_of
from server.access.verbs import CITY_VERBS, LAYER_VERBS
from server.answers import json_answer
from server.documented import documented, returns
from server.people import key_entry
from server.routes.account import own_account
from server.state import AccessDep, StateDep

router = APIRouter(tags=["people"])


class NewKey(BaseModel):
    """A key, and what it is to be good for: verbs of the policy."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: Annotated[str, Field(max_length=200)]
    scopes: Annotated[list[str], Field(min_length=1, max_length=20)]
    days: int = Field(ge=1, le=LONGEST_DAYS)


@router.get("/keys", summary="Keys", **documented("own", returns("Keys")))
def list_keys(
    state: StateDep,
    access: AccessDep,
    everybodys: Annotated[bool, Query(alias="all", description="everybody's keys")] = False,
) -> Response:
    """One's own keys, or everybody's for who looks after people; newest first."""
    if everybodys:
        access.require("administer")
    keys = state.whole_city.office.keys.all(None if everybodys else access.person.id)
    return json_answer({"keys": [key_entry(key) for key in keys]})


@router.post("/keys", summary="A new key", **documented("own", returns("AddedKey", 201)))
def add_key(new: NewKey, request: Request, state: StateDep, access: AccessDep) -> Response:
    """A key of one's own that is good for what one may do oneself, or less; told this once."""
    account = own_account(state, access)
    for scope in new.scopes:
        if scope not in access.verbs or scope not in (*LAYER_VERBS, *CITY_VERBS):
            raise Forbidden(
                f"you cannot give a key the right {scope!r}, because you do not have it or keys "
                "cannot; leave it out"
            )
    scopes = list(dict.fromkeys(new.scopes))
    key, secret = state.whole_city.office.keys.add(account.id, new.title, scopes, new.days)
    note_of(request.scope).detail.update(key=key.id, scopes=[*scopes], days=new.days)
    answer = key_entry(key) | {"key": secret}
    return json_answer(answer, status=201, headers={"cache-control": "no-store"})


@router.delete(
    "/keys/{key}",
    summary="Revoke a key",
    **documented("own", returns(None, 204), problems=(404,)),
)
def revoke_key(key: str, state: StateDep, access: AccessDep) -> Response:
    """Make a key good for nothing, at once: one's own, or anybody's for who looks after people."""
    keys = state.whole_city.office.keys
    found = keys.get(key)
    if found.account != access.person.id and not access.may("administer"):
        raise NotFound(f"there is no key {key!r} in this city")
    keys.revoke(key)
    state.gate.forget()
    return Response(status_code=204)
