"""One's own account: the password and the second factor."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from cim_core.errors import Conflict, Forbidden
from cim_core.store.office_account import Account
from server.access import totp
from server.access.access import Access
from server.access.passwords import LONGEST, check_password, hashed
from server.answers import json_answer
from server.documented import documented, returns
from server.routes.session import door
from server.state import AccessDep, State, StateDep

router = APIRouter(tags=["session"])

_Password = Annotated[str, Field(min_length=1, max_length=LONGEST)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class PasswordChange(_Body):
    """The password there is, and the one there is to be."""

    old: _Password
    new: _Password


class Code(_Body):
    """What an authenticator app shows."""

    code: Annotated[str, Field(min_length=1, max_length=20)]


@router.put(
    "/session/password",
    summary="Change one's password",
    **documented("own", returns(None, 204), problems=(409,)),
)
def change_password(
    given: PasswordChange, request: Request, state: StateDep, access: AccessDep
) -> Response:
    """Take another password; every other session of the account ends."""
    account = own_account(state, access)
    if account.password is None:
        raise Conflict("this account signs in with the city's identity service; change it there")
    office, limits = state.whole_city.office, state.gate.in_force.policy.limits
    check_password(given.new, account.name, limits.password_length)
    door(state, request).confirm(account, given.old)
    kept = hashed(given.new, state.settings.password_memory_kib)
    office.people.change(account.id, password=kept)
    office.sessions.end_all(account.id, but=access.person.session)
    state.gate.forget()
    return Response(status_code=204)


@router.post(
    "/session/totp",
    summary="Begin a second factor",
    **documented("own", returns("SecondFactor"), problems=(409,)),
)
def begin_second_factor(state: StateDep, access: AccessDep) -> Response:
    """A secret for an authenticator app, also as a picture; it counts once a code has come."""
    account = own_account(state, access)
    if account.sso or account.totp is not None:
        raise Conflict(
            "this account has a second factor already, or signs in with the city's identity service, "
            "which asks for one itself; take the one away first"
        )
    secret = totp.new_secret()
    state.whole_city.office.people.change(account.id, totp_pending=secret)
    uri = totp.uri(secret, account.name, state.whole_city.settings.name)
    told = {"secret": secret, "uri": uri, "svg": totp.picture(uri)}
    return json_answer(told, headers={"cache-control": "no-store"})


@router.put(
    "/session/totp",
    summary="Confirm a second factor",
    **documented("own", returns(None, 204), problems=(409,)),
)
def confirm_second_factor(
    given: Code, request: Request, state: StateDep, access: AccessDep
) -> Response:
    """From now on signing in takes a code of the app that showed this one."""
    account = own_account(state, access)
    if account.totp_pending is None:
        raise Conflict("there is no second factor to confirm; begin one first")
    door(state, request).confirm_code(account, account.totp_pending, given.code)
    state.whole_city.office.people.change(account.id, totp=account.totp_pending, totp_pending=None)
    state.gate.forget()
    return Response(status_code=204)


@router.delete(
    "/session/totp",
    summary="End a second factor",
    **documented("own", returns(None, 204), problems=(409,)),
)
def end_second_factor(
    given: Code, request: Request, state: StateDep, access: AccessDep
) -> Response:
    """Signing in takes the password only again."""
    account = own_account(state, access)
    if account.totp is None:
        raise Conflict("this account has no second factor; nothing is left to end")
    door(state, request).confirm_code(account, account.totp, given.code)
    state.whole_city.office.people.change(account.id, totp=None)
    state.gate.forget()
    return Response(status_code=204)


def own_account(state: State, access: Access) -> Account:
    """The account of whoever asks; raises `Forbidden` for who came with a key."""
    person = access.person
    if person.id is None or person.via != "session":
        raise Forbidden(
            "a key cannot change the account it belongs to; sign in with a name instead"
        )
    return state.whole_city.office.people.get(person.id)
