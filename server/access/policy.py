"""The policy of a city: role × verb × sensitivity → whose layers, what is hidden, and limits.

`policy.toml` is what holds until a city has its own, which lies in its office as JSON.
"""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cim_core.errors import InvalidInput
from cim_core.layer import Sensitivity
from cim_core.store.office_account import ROLES
from server.access.verbs import Verb

Whose = Literal["all", "town", "department", "none"]
"""Of which layers a verb holds: all, what lies in a person's towns, those of their department."""

STRANGER = "stranger"
LOOPBACK = "loopback"
"""Everyone on this machine, while the city has no policy."""

SENSITIVITIES: tuple[Sensitivity, ...] = get_args(Sensitivity)

Layers = dict[Sensitivity, Whose]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RoleRules(_Model):
    """What a role may; `hides` names entries of the policy's `hides`, of sensitive layers."""

    read: Layers = {}
    export: Layers = {}
    edit: Layers = {}
    manage: Layers = {}
    record: Layers = {}
    respond: Layers = {}
    report: Layers = {}
    order: Layers = {}
    households: Layers = {}
    city: tuple[Literal["administer", "audit"], ...] = ()
    hides: tuple[str, ...] = ()

    def whose(self, verb: Verb, sensitivity: Sensitivity) -> Whose:
        """Whose layers of a sensitivity a verb holds for."""
        layers: Layers = getattr(self, verb)
        return layers.get(sensitivity, "none")


class Hidden(_Model):
    """What is hidden under one name: attributes by pattern, and heights."""

    attributes: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = ()
    heights: bool = False


class Limits(_Model):
    """The numbers of a policy; `policy.toml` says what each is."""

    export_km2: float = Field(25.0, gt=0)
    large_scale_from: int = Field(3, ge=1, le=8)
    audit_days: int = Field(183, ge=183)
    session_hours: float = Field(12, gt=0, le=24 * 30)
    idle_minutes: float = Field(60, gt=0)
    failures: int = Field(5, ge=1, le=100)
    lock_minutes: float = Field(15, gt=0)
    password_length: int = Field(10, ge=8, le=128)
    capability_minutes: float = Field(60, gt=0, le=60)
    second_factor: tuple[str, ...] = ()


class Policy(_Model):
    """A policy; a role that is not written may nothing."""

    roles: dict[str, RoleRules]
    hides: dict[str, Hidden] = {}
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _consistent(self) -> "Policy":
        for role in (*self.roles, *self.limits.second_factor):
            if role not in (*ROLES, STRANGER, LOOPBACK):
                raise InvalidInput(
                    f"{role!r} is not a role; give some of {STRANGER}, {', '.join(ROLES)}"
                )
        for role, rules in self.roles.items():
            for name in rules.hides:
                if name not in self.hides:
                    raise InvalidInput(
                        f"roles.{role}.hides names {name!r}, which is not under hides; add it there "
                        "or leave it out"
                    )
        both = [r for r, rules in self.roles.items() if {"administer", "audit"} <= set(rules.city)]
        if both:
            raise InvalidInput(
                f"roles.{both[0]} would both administer and audit; nobody may, so take one of them away"
            )
        return self

    def rules(self, role: str) -> RoleRules:
        """What a role may."""
        return self.roles.get(role, _NOTHING)

    def document(self) -> dict[str, Any]:
        """As it is stored and served."""
        return self.model_dump(mode="json")


_NOTHING = RoleRules()
_EVERYTHING: Layers = dict.fromkeys(SENSITIVITIES, "all")


@lru_cache
def default_policy() -> Policy:
    """What holds for people who sign in to a city that has no policy of its own."""
    text = files("server.access").joinpath("policy.toml").read_text(encoding="utf-8")
    return read_policy(tomllib.loads(text))


@lru_cache
def loopback_policy() -> Policy:
    """The default, and everyone on this machine may read: for a city without a policy."""
    open_here = RoleRules(read=_EVERYTHING, export=_EVERYTHING)
    default = default_policy()
    return default.model_copy(update={"roles": {**default.roles, LOOPBACK: open_here}})


def public_policy() -> Policy:
    """The default, with public layers open to strangers: what the sample city has."""
    default = default_policy()
    public: Layers = {"public": "all"}
    rules = RoleRules(read=public, export=public)
    return default.model_copy(update={"roles": {**default.roles, STRANGER: rules}})


def read_policy(document: Mapping[str, Any]) -> Policy:
    """A policy document, checked; raises `InvalidInput` naming the entry that is wrong."""
    try:
        return Policy.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"policy: {place}: {first['msg']}; correct that entry") from None
