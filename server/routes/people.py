"""The people of a city, and the towns and departments they belong to."""

import json
import time
from typing import Annotated, Any

import shapely
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from cim_core.errors import Conflict, InvalidInput
from cim_core.store.office_account import Account
from cim_core.store.office_file import moment
from cim_core.store.office_people import Changes
from cim_core.store.office_sessions import LONGEST_LINK
from server.access.notes import note_of
from server.access.passwords import hashed, random_password
from server.answers import json_answer
from server.documented import documented, returns
from server.people import (
    change_person,
    department_entry,
    forget_credentials,
    person_entry,
    signs_in_by_link,
    town_entry,
)
from server.state import AccessDep, State, StateDep

router = APIRouter(tags=["people"])

_Text = Annotated[str, Field(max_length=200)]
_Texts = Annotated[list[_Text], Field(max_length=100)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class NewPerson(_Body):
    """Somebody who is to sign in."""

    name: _Text
    title: _Text = ""
    roles: _Texts = []
    towns: _Texts = []
    department: _Text | None = None
    sso: bool = False


class PersonChange(_Body):
    """What is to be different of somebody; what is not given stays."""

    title: _Text = ""
    roles: _Texts = []
    towns: _Texts = []
    department: _Text | None = None
    active: bool = True


class Title(_Body):
    """A name in one language or both."""

    en: _Text | None = None
    zh: _Text | None = None

    def given(self) -> dict[str, str]:
        """The languages there are."""
        return {name: text for name, text in (("en", self.en), ("zh", self.zh)) if text}


class NewDepartment(_Body):
    """A department; its id is the text that layers have as theirs."""

    id: _Text
    title: Title


class NewTown(_Body):
    """A town; without a boundary nothing lies in it."""

    id: _Text
    title: Title
    boundary: dict[str, Any] | None = Field(None, description="GeoJSON Polygon or MultiPolygon")


class TownChange(_Body):
    """What is to be different of a town; what is not given stays."""

    title: Title | None = None
    boundary: dict[str, Any] | None = Field(None, description="GeoJSON Polygon or MultiPolygon")


@router.get("/people", summary="Everybody", **documented("administer", returns("People")))
def list_people(state: StateDep) -> Response:
    """Everybody who has an account, by name."""
    found = state.whole_city.office.people.all()
    return json_answer({"people": [person_entry(account) for account in found]})


@router.post(
    "/people",
    summary="Begin an account",
    **documented("administer", returns("AddedPerson", 201), problems=(409,)),
)
def add_person(person: NewPerson, request: Request, state: StateDep) -> Response:
    """Begin an account; the answer has its password, this once, unless it signs in elsewhere."""
    password = None if person.sso else random_password()
    account = state.whole_city.office.people.add(
        person.name, title=person.title, roles=person.roles, towns=person.towns,
        department=person.department, sso=person.sso,
        password_hash=None if password is None else _hashed(password, state),
    )  # fmt: skip
    _note(request, account, roles=list(account.roles), towns=list(account.towns))
    told = person_entry(account) | ({} if password is None else {"password": password})
    return json_answer(told, status=201, headers={"location": f"/people/{account.id}"})


@router.get(
    "/people/{person}",
    summary="One person",
    **documented("administer", returns("Person"), problems=(404,)),
)
def get_person(person: str, state: StateDep) -> Response:
    """One account."""
    return json_answer(person_entry(state.whole_city.office.people.get(person)))


@router.patch(
    "/people/{person}",
    summary="Change an account",
    **documented("administer", returns("Person"), problems=(404, 409)),
)
def change(
    person: str, given: PersonChange, request: Request, state: StateDep, access: AccessDep
) -> Response:
    """Change what is given; with other roles, or inactive, sessions and keys end at once."""
    office = state.whole_city.office
    changes: Changes = given.model_dump(exclude_unset=True)  # type: ignore[assignment]
    _note(request, office.people.get(person), changes=dict(changes))
    account = change_person(
        office, state.gate.in_force.policy, person, changes, by=access.person.id
    )
    state.gate.forget()
    return json_answer(person_entry(account))


@router.post(
    "/people/{person}/password",
    summary="A new password for somebody",
    **documented("administer", returns("ToldPassword"), problems=(404, 409)),
)
def new_password(person: str, request: Request, state: StateDep) -> Response:
    """A random password, told this once; the account is signed out everywhere."""
    office = state.whole_city.office
    account = office.people.get(person)
    if account.sso:
        raise Conflict(
            f"{account.name!r} signs in with the city's identity service and has no password here; "
            "change it there"
        )
    _note(request, account)
    password = random_password()
    office.people.change(account.id, password=_hashed(password, state))
    forget_credentials(office, account.id)
    state.gate.forget()
    return json_answer({"password": password}, headers=_NOT_KEPT)


@router.post(
    "/people/{person}/unlock",
    summary="Let somebody try again",
    **documented("administer", returns("Person"), problems=(404,)),
)
def unlock(person: str, request: Request, state: StateDep) -> Response:
    """Forget how often signing in under this name has failed."""
    people = state.whole_city.office.people
    _note(request, people.get(person))
    people.unlock(person)
    return json_answer(person_entry(people.get(person)))


@router.delete(
    "/people/{person}/totp",
    summary="Take away a second factor",
    **documented("administer", returns(None, 204), problems=(404,)),
)
def remove_second_factor(person: str, request: Request, state: StateDep) -> Response:
    """Forget a second factor that was lost."""
    people = state.whole_city.office.people
    _note(request, people.get(person))
    people.change(person, totp=None, totp_pending=None)
    state.gate.forget()
    return Response(status_code=204)


@router.post(
    "/people/{person}/link",
    summary="A link that signs in once",
    **documented("administer", returns("SignInLink"), problems=(404, 409)),
)
def sign_in_link(person: str, request: Request, state: StateDep) -> Response:
    """An address that signs somebody in once, within an hour; its token stands behind the #."""
    office = state.whole_city.office
    account = office.people.get(person)
    if not signs_in_by_link(account):
        raise Conflict(
            f"no link signs {account.name!r} in: the account is not active, has a second factor, or "
            "signs in with the city's identity service"
        )
    _note(request, account)
    token = office.sessions.link(account.id, LONGEST_LINK)
    told = {"href": f"/#sign-in={token}", "expires": moment(time.time() + LONGEST_LINK)}
    return json_answer(told, headers=_NOT_KEPT)


@router.get(
    "/departments", summary="The departments", **documented("administer", returns("Departments"))
)
def list_departments(state: StateDep) -> Response:
    """All departments."""
    found = state.whole_city.office.people.departments()
    return json_answer({"departments": [department_entry(item) for item in found]})


@router.post(
    "/departments",
    summary="Begin a department",
    **documented("administer", returns("Department", 201), problems=(409,)),
)
def add_department(department: NewDepartment, request: Request, state: StateDep) -> Response:
    """Begin a department."""
    note_of(request.scope).detail["department"] = department.id
    people = state.whole_city.office.people
    added = people.add_department(department.id, department.title.given())
    return json_answer(department_entry(added), status=201)


@router.delete(
    "/departments/{department:path}",
    summary="Forget a department",
    **documented("administer", returns(None, 204), problems=(404, 409)),
)
def remove_department(department: str, state: StateDep) -> Response:
    """Forget a department nobody is in."""
    state.whole_city.office.people.remove_department(department)
    return Response(status_code=204)


@router.get("/towns", summary="The towns", **documented("administer", returns("Towns")))
def list_towns(state: StateDep) -> Response:
    """All towns with their boundaries."""
    found = state.whole_city.office.people.towns()
    return json_answer({"towns": [town_entry(town) for town in found]})


@router.post(
    "/towns",
    summary="Begin a town",
    **documented("administer", returns("Town", 201), problems=(409,)),
)
def add_town(town: NewTown, request: Request, state: StateDep) -> Response:
    """Begin a town."""
    note_of(request.scope).detail["town"] = town.id
    boundary = None if town.boundary is None else _area(town.boundary)
    added = state.whole_city.office.people.add_town(town.id, town.title.given(), boundary)
    return json_answer(town_entry(added), status=201)


@router.patch(
    "/towns/{town}",
    summary="Change a town",
    **documented("administer", returns("Town"), problems=(404,)),
)
def change_town(town: str, given: TownChange, state: StateDep) -> Response:
    """Give a town another name or boundary."""
    changed = state.whole_city.office.people.change_town(
        town,
        title=None if given.title is None else given.title.given(),
        boundary=None if given.boundary is None else _area(given.boundary),
    )
    state.gate.forget()
    return json_answer(town_entry(changed))


@router.delete(
    "/towns/{town}",
    summary="Forget a town",
    **documented("administer", returns(None, 204), problems=(404, 409)),
)
def remove_town(town: str, state: StateDep) -> Response:
    """Forget a town nobody is in."""
    state.whole_city.office.people.remove_town(town)
    return Response(status_code=204)


_NOT_KEPT = {"cache-control": "no-store"}


def _hashed(password: str, state: State) -> str:
    return hashed(password, state.settings.password_memory_kib)


def _note(request: Request, account: Account, **detail: Any) -> None:
    """Who it was done to, for the log."""
    note_of(request.scope).detail.update(about=account.id, name=account.name, **detail)


def _area(boundary: dict[str, Any]) -> shapely.Geometry:
    try:
        return shapely.from_geojson(json.dumps(boundary))
    except (shapely.GEOSException, ValueError) as error:
        raise InvalidInput(
            f"the boundary is no GeoJSON geometry ({error}); give a Polygon or a MultiPolygon in "
            "degrees"
        ) from None
