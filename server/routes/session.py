"""Signing in and out, and who one is."""

from collections.abc import Callable
from html import escape
from typing import Annotated, Any

import anyio
import anyio.to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from cim_core.errors import CimError, NotFound, SignInNeeded
from cim_core.store.office_file import moment
from server.access.authenticate import COOKIES, session_token
from server.access.notes import note_of
from server.access.oidc import Errand, IdentityService
from server.access.passwords import LONGEST
from server.access.sign_in import Door
from server.answers import json_answer
from server.documented import documented, returns
from server.people import person_entry
from server.problem_answers import error_response
from server.problems import problem_of
from server.state import AccessDep, State, StateDep

router = APIRouter(tags=["session"])

_SIGNING_IN = anyio.CapacityLimiter(2)
"""Who signs in waits here and not in a thread: the other threads are for everybody else."""

_ERRAND = ("__Host-cim_errand", "cim_errand")
"""Where a browser keeps what it needs when it comes back from the identity service."""
_ERRAND_SECONDS = 600

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>CIM Twin</title>
<p>{english}</p>
<p lang="zh">{chinese}</p>
<p><a href="/">CIM Twin</a></p>
</html>
"""


class Credentials(BaseModel):
    """Name, password, and a code of the second factor where there is one."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(max_length=200)]
    password: Annotated[str, Field(max_length=LONGEST)]
    code: Annotated[str, Field(max_length=20)] | None = None


class LinkToken(BaseModel):
    """What stands behind the # of a link that signs in once."""

    model_config = ConfigDict(extra="forbid", strict=True)

    token: Annotated[str, Field(max_length=200)]


@router.get(
    "/session", summary="Who asks, and what they may", **documented("open", returns("Session"))
)
def get_session(request: Request, state: StateDep) -> Response:
    """Who is signed in here, if anybody, and what they may do at all."""
    return json_answer(_session(request, state, _token(request)))


@router.post(
    "/session",
    summary="Sign in",
    **documented("open", returns("Session", 201), problems=(401,)),
)
async def sign_in(given: Credentials, request: Request, state: StateDep) -> Response:
    """Sign in with name and password; the session is in a cookie that pages cannot read."""
    door_ = door(state, request)
    await anyio.to_thread.run_sync(door_.check_lock, given.name, limiter=_SIGNING_IN)
    return await _signed_in(
        request, state, lambda: door_.by_password(given.name, given.password, given.code)
    )


@router.post(
    "/session/link",
    summary="Sign in by a link",
    **documented("open", returns("Session", 201), problems=(401,)),
)
async def follow_link(given: LinkToken, request: Request, state: StateDep) -> Response:
    """Sign in with what stands behind the # of a link that somebody was given; good once."""
    door_ = door(state, request)
    return await _signed_in(request, state, lambda: door_.by_link(given.token))


@router.delete("/session", summary="Sign out", **documented("open", returns(None, 204)))
def sign_out(request: Request, state: StateDep) -> Response:
    """End the session, and with it all that was given out to it."""
    token = _token(request)
    if token is not None and state.whole_city.office.exists:
        state.whole_city.office.sessions.end(token)
        state.gate.forget()
    answer = Response(status_code=204)
    _take_cookies(answer, COOKIES)
    return answer


@router.get(
    "/session/oidc",
    summary="Sign in with the city's identity service",
    **documented("open", returns(None, 302, ("Location",)), problems=(401, 404, 503)),
)
async def begin_oidc(request: Request, state: StateDep) -> Response:
    """Send the browser to the identity service, if the city has one."""
    errand = Errand.new()
    address = await _service(state).address(errand, _back(request))
    answer = _elsewhere(address)
    secure = _secure(request)
    # The way back comes from another site, so "strict" would keep this from us.
    answer.set_cookie(
        _ERRAND[0] if secure else _ERRAND[1], errand.as_cookie(), max_age=_ERRAND_SECONDS,
        secure=secure, httponly=True, samesite="lax",
    )  # fmt: skip
    return answer


@router.get(
    "/session/oidc/callback",
    summary="The way back from the identity service",
    **documented("open", returns(None, 302, ("Location",)), problems=(401, 404, 503)),
)
async def finish_oidc(
    request: Request,
    state: StateDep,
    code: Annotated[str | None, Query(max_length=4000)] = None,
    errand_state: Annotated[str, Query(alias="state", max_length=200)] = "",
) -> Response:
    """Sign in whom the identity service confirms; people get to read why it did not work."""
    errand = Errand.kept_in(_cookie(request, _ERRAND) or "")
    door_ = door(state, request)
    try:
        service = _service(state)
        if errand is None or not errand.is_of(errand_state):
            raise SignInNeeded(
                "this way of signing in was begun somewhere else, or too long ago; begin again"
            )
        if code is None:
            raise SignInNeeded("the identity service signed nobody in; begin again")
        state.rates.sign_in(request.scope)
        confirmed = await service.confirmed(errand, code, _back(request))
        token = await anyio.to_thread.run_sync(
            lambda: door_.by_service(confirmed), limiter=_SIGNING_IN
        )
    except CimError as error:
        answer = _refused(request, error)
    else:
        # The session's cookie does not come with the request for this page, whose way here began at
        # another site; it comes with what the page asks for then.
        answer = _elsewhere("/")
        await anyio.to_thread.run_sync(_replace, request, state, answer, token)
    _take_cookies(answer, _ERRAND)
    return answer


@router.post(
    "/session/capability",
    summary="What opens protected tiles",
    **documented("read", returns("Capability", 201)),
)
def begin_capability(state: StateDep, access: AccessDep) -> Response:
    """What the addresses of tiles begin with that not everybody may see, for an hour at most."""
    given = state.gate.capability(access.person)
    if given is None:
        raise SignInNeeded("only who is signed in is given addresses of protected tiles; sign in")
    told = {"prefix": f"/c/{given[0]}", "expires": moment(given[1])}
    return json_answer(told, status=201, headers={"cache-control": "no-store"})


def door(state: State, request: Request) -> Door:
    """Where people sign in, for a request."""
    return Door(
        state.whole_city.office, state.gate.in_force.policy.limits,
        state.settings.password_memory_kib, request.state.person.address, note_of(request.scope),
    )  # fmt: skip


async def _signed_in(request: Request, state: State, come_in: Callable[[], str]) -> Response:
    state.rates.sign_in(request.scope)
    token = await anyio.to_thread.run_sync(come_in, limiter=_SIGNING_IN)

    def told() -> Response:
        answer = json_answer(_session(request, state, token), status=201)
        _replace(request, state, answer, token)
        return answer

    return await anyio.to_thread.run_sync(told)


def _replace(request: Request, state: State, answer: Response, token: str) -> None:
    """Give a browser its new session; the one it had is over."""
    before = _token(request)
    if before is not None:
        state.whole_city.office.sessions.end(before)
    secure = _secure(request)
    answer.set_cookie(
        COOKIES[0] if secure else COOKIES[1], token, secure=secure, httponly=True, samesite="strict"
    )


def _session(request: Request, state: State, token: str | None) -> dict[str, Any]:
    """Who asks, with a session if they have one, and what they may."""
    gate, office = state.gate, state.whole_city.office
    person = request.state.person
    session = None
    if token is not None:
        person = gate.by_session(token, person.address) or person
        session = office.sessions.get(token) if person.via == "session" else None
    access = gate.access(person)
    account = office.people.get(person.id) if person.id is not None else None
    expires = moment(session.expires) if session else None
    if person.key is not None:
        expires = office.keys.get(person.key).expires
    wanted = set(person.roles) & set(access.policy.limits.second_factor)
    factor = "on" if account is not None and account.totp else "wanted" if wanted else "none"
    identity = state.identity
    return {
        "person": None if account is None else person_entry(account),
        "may": access.verbs,
        "via": person.via,
        "policy": gate.in_force.kind,
        "oidc": None if identity is None else {"title": identity.title, "href": "/session/oidc"},
        "expires": expires,
        "second_factor": "none" if person.second_factor and factor == "wanted" else factor,
    }


def _service(state: State) -> IdentityService:
    if state.identity is None:
        raise NotFound(
            "this city has no identity service of its own; sign in with name and password"
        )
    return state.identity


def _back(request: Request) -> str:
    return str(request.url_for("finish_oidc"))


def _refused(request: Request, error: CimError) -> Response:
    """An error as a page for people, as a problem document for everybody else."""
    answer = error_response(error, request.url.path)
    if "text/html" in request.headers.get("accept", ""):
        told = problem_of(error)
        english = str(told["detail"])
        page = _PAGE.format(
            english=escape(english), chinese=escape(str(told.get("detail_zh", english)))
        )
        return Response(page, answer.status_code, media_type="text/html")
    return answer


def _elsewhere(address: str) -> Response:
    return RedirectResponse(address, 302, headers={"cache-control": "no-store"})


def _token(request: Request) -> str | None:
    cookie = request.headers.get("cookie", "").encode("latin-1")
    return session_token(cookie, secure=_secure(request))


def _cookie(request: Request, names: tuple[str, str]) -> str | None:
    return next((request.cookies[name] for name in names if name in request.cookies), None)


def _secure(request: Request) -> bool:
    return request.url.scheme == "https"


def _take_cookies(answer: Response, names: tuple[str, str]) -> None:
    for name in names:
        answer.delete_cookie(name, secure=name.startswith("__Host-"), httponly=True)
