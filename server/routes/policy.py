"""Who may do what: the policy of the city, and what somebody would see under it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from cim_core.errors import Conflict
from server.access.notes import note_of
from server.access.policy import Policy, read_policy
from server.answers import json_answer
from server.documented import documented, returns
from server.people import administered
from server.preview import preview
from server.state import AccessDep, State, StateDep

router = APIRouter(tags=["policy"])

_Id = Annotated[str, Field(max_length=200)]


class NewPolicy(BaseModel):
    """A policy, and the version it is made from."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: int = Field(ge=0, lt=2**63)
    policy: dict[str, Any]


class Wanted(BaseModel):
    """Somebody who need not be there, under a policy that is not in force."""

    model_config = ConfigDict(extra="forbid", strict=True)

    role: _Id
    town: _Id | None = None
    department: _Id | None = None
    policy: dict[str, Any]


@router.get("/policy", summary="The policy", **documented("administer", returns("PolicyInForce")))
def get_policy(state: StateDep) -> Response:
    """The policy in force, and its version; "none" while the city has not decided anything."""
    return _in_force(state)


@router.put(
    "/policy",
    summary="Another policy",
    **documented("administer", returns("PolicyInForce"), problems=(409,)),
)
def put_policy(new: NewPolicy, request: Request, state: StateDep, access: AccessDep) -> Response:
    """Let a policy hold from now on, unless somebody else changed it meanwhile."""
    policy = read_policy(new.policy)
    office = state.whole_city.office
    if not administered(policy, office.people.all()):
        raise Conflict(
            "under this policy nobody could look after people and the policy any more; let a role that "
            "somebody active has administer"
        )
    version = office.policies.put(policy.document(), new.version, access.person.name)
    note_of(request.scope).detail["version"] = version
    state.gate.forget()
    return _in_force(state)


@router.get(
    "/policy/preview",
    summary="What somebody would see",
    **documented("administer", returns("Preview"), problems=(404,)),
)
def preview_policy(
    role: Annotated[str, Query(max_length=200)],
    state: StateDep,
    town: Annotated[str | None, Query(max_length=200)] = None,
    department: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """Every layer as somebody of a role would see it, and what they could do, under the policy."""
    return _previewed(state, state.gate.in_force.policy, role, town, department)


@router.post(
    "/policy/preview",
    summary="What somebody would see under a policy that is not in force",
    **documented("administer", returns("Preview"), problems=(404,)),
)
def preview_other_policy(wanted: Wanted, state: StateDep) -> Response:
    """The same under a policy that is only thought of; nothing is changed."""
    policy = read_policy(wanted.policy)
    return _previewed(state, policy, wanted.role, wanted.town, wanted.department)


def _in_force(state: State) -> Response:
    held = state.gate.in_force
    told = {"kind": held.kind, "version": held.version, "policy": held.policy.document()}
    return json_answer(told)


def _previewed(
    state: State, policy: Policy, role: str, town: str | None, department: str | None
) -> Response:
    return json_answer(preview(state.whole_city, policy, role, town, department))
