"""Hooks: the addresses that are told of supervision orders, and what each was told."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from cim_core.errors import InvalidInput
from cim_core.store.renewal_hooks import Delivery, Hook, Hooks
from server.access.notes import note_of
from server.answers import json_answer
from server.documented import documented, returns
from server.renewal.webhooks import checked_address
from server.settings import Settings
from server.state import State, StateDep

router = APIRouter(tags=["renewal"])

HookPath = Annotated[str, Path(description="a hook's id")]
_Name = Annotated[str, Field(max_length=200)]


class NewHook(BaseModel):
    """An address that is to be told of orders, of which events, and of which towns' projects (null: all)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url: Annotated[str, Field(max_length=2000)]
    events: Annotated[list[_Name], Field(max_length=20)]
    towns: Annotated[list[_Name], Field(max_length=1000)] | None = None


@router.get("/renewal/hooks", summary="Hooks", **documented("administer", returns("RenewalHooks")))
def list_hooks(state: StateDep) -> Response:
    """The addresses that are told of orders, the oldest first, without what is secret of them."""
    found = _hooks(state).all()
    return json_answer({"hooks": [_document(hook, state.settings) for hook in found]})


@router.post(
    "/renewal/hooks",
    summary="A new hook",
    **documented("administer", returns("RenewalHookMade", 201)),
)
def add_hook(new: NewHook, request: Request, state: StateDep) -> Response:
    """Its secret is told this once. Only hosts that CIM_WEBHOOK_HOSTS names are taken."""
    known = {town.id for town in state.whole_city.office.people.towns()}
    for town in new.towns or ():
        if town not in known:
            raise InvalidInput(f"there is no town {town!r} in this city; `cim town list` has them")
    url = checked_address(new.url, state.settings)
    towns = None if new.towns is None else frozenset(new.towns)
    hook = _hooks(state).add(url, new.events, towns)
    note_of(request.scope).detail["hook"] = hook.id
    told = {**_document(hook, state.settings), "secret": hook.secret}
    return json_answer(told, status=201, headers={"cache-control": "no-store"})


@router.delete(
    "/renewal/hooks/{hook}",
    summary="Tell a hook nothing more",
    **documented("administer", returns(None, 204), problems=(404,)),
)
def remove_hook(hook: HookPath, state: StateDep) -> Response:
    """What it was still to be told is forgotten."""
    _hooks(state).remove(hook)
    return Response(status_code=204)


@router.get(
    "/renewal/hooks/{hook}/deliveries",
    summary="What a hook was told",
    **documented("administer", returns("RenewalDeliveries"), problems=(404,)),
)
def list_deliveries(
    hook: HookPath, state: StateDep, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> Response:
    """The newest first: what waits, what was delivered, and what was given up after a day."""
    found = _hooks(state).deliveries(hook, limit)
    return json_answer({"deliveries": [_delivery(one) for one in found]})


def _hooks(state: State) -> Hooks:
    return Hooks(state.whole_city.renewal.file)


def _document(hook: Hook, settings: Settings) -> dict[str, object]:
    return {
        "id": hook.id, "url": _shown(hook.url), "events": list(hook.events),
        "towns": None if hook.towns is None else sorted(hook.towns),
        "active": _is_allowed(hook.url, settings), "created": hook.created,
    }  # fmt: skip


def _shown(url: str) -> str:
    """An address without what may be a token: chat programs have theirs in paths and queries.

    >>> _shown("https://chat.example.org/hooks/token?key=1"), _shown("https://example.org/orders")
    ('https://chat.example.org/hooks/…', 'https://example.org/orders')
    """
    parts = urlsplit(url)
    first, _, more = parts.path.removeprefix("/").partition("/")
    return f"{parts.scheme}://{parts.netloc}/{first}" + ("/…" if more or parts.query else "")


def _is_allowed(url: str, settings: Settings) -> bool:
    try:
        checked_address(url, settings)
    except InvalidInput:
        return False
    return True


def _delivery(one: Delivery) -> dict[str, object]:
    return {
        "id": one.id, "about": one.about, "made": one.made, "attempts": one.attempts, "next": one.next,
        "status": one.status, "error": one.error, "state": one.state,
    }  # fmt: skip
