"""Accounts, keys, towns and departments as they are told, and what must hold when they are changed."""

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

import shapely

from cim_core.errors import Conflict
from cim_core.store.office import Office
from cim_core.store.office_account import Account, Department, Town
from cim_core.store.office_keys import Key
from cim_core.store.office_people import Changes
from server.access.policy import Policy

_CHANGING = threading.Lock()
"""Two changes at once could each leave the other's administrator as the last one."""


def person_entry(account: Account) -> dict[str, Any]:
    """An account as it is told; nothing secret."""
    return {
        "id": account.id,
        "name": account.name,
        "title": account.title,
        "roles": list(account.roles),
        "towns": list(account.towns),
        "department": account.department,
        "active": account.active,
        "sso": account.sso,
        "has_password": account.password is not None,
        "totp": account.totp is not None,
        "locked": account.locked_until is not None and account.locked_until > time.time(),
        "created": account.created,
        "last_signed_in": account.last_signed_in,
    }


def key_entry(key: Key) -> dict[str, Any]:
    """A key as it is told, without its secret."""
    return {
        "id": key.id,
        "title": key.title,
        "person": key.account,
        "scopes": list(key.scopes),
        "created": key.created,
        "expires": key.expires,
        "last_used": key.last_used,
        "revoked": key.revoked,
    }


def department_entry(department: Department) -> dict[str, Any]:
    """A department as it is told."""
    return {"id": department.id, "title": _in_both(department.title)}


def town_entry(town: Town) -> dict[str, Any]:
    """A town as it is told; its boundary is GeoJSON."""
    boundary = None if town.boundary is None else shapely.geometry.mapping(town.boundary)
    return {"id": town.id, "title": _in_both(town.title), "boundary": boundary}


def _in_both(title: Mapping[str, str]) -> dict[str, str]:
    """A title in both languages: where one is missing, in the other."""
    either = next(iter(title.values()))
    return {language: title.get(language, either) for language in ("en", "zh")}


def change_person(
    office: Office, policy: Policy, account_id: str, changes: Changes, by: str | None
) -> Account:
    """Change an account; with other roles, or inactive, it has to sign in again and get new keys.

    Raises `Conflict` if nobody active were left who may administer, or if whoever asks, the account
    `by`, would make themselves inactive; else what `People.change` raises.
    """
    with _CHANGING:
        before = office.people.get(account_id)
        if changes.get("active") is False and account_id == by:
            raise Conflict(
                "nobody makes themselves inactive; ask another security administrator to do it"
            )
        roles = changes.get("roles", before.roles)
        active = changes.get("active", before.active)
        others = [item for item in office.people.all() if item.id != account_id]
        if (
            _administers(policy, before.roles, active=before.active)
            and not _administers(policy, roles, active=active)
            and not administered(policy, others)
        ):
            raise Conflict(
                f"{before.name!r} is the last one who looks after people and the policy; give that role "
                "to somebody else first"
            )
        after = office.people.change(account_id, **changes)
        if set(after.roles) != set(before.roles) or (before.active and not after.active):
            forget_credentials(office, account_id)
        return after


def signs_in_by_link(account: Account) -> bool:
    """Whether a link may stand for the account's password: it has one, and nothing else is asked."""
    return account.active and not account.sso and account.totp is None


def forget_credentials(office: Office, account: str) -> None:
    """End all sessions, links, keys and capabilities of an account."""
    office.sessions.end_all(account)
    for key in office.keys.all(account):
        office.keys.revoke(key.id)


def administered(policy: Policy, accounts: Iterable[Account]) -> bool:
    """Whether anybody active may look after people and the policy."""
    return any(_administers(policy, item.roles, active=item.active) for item in accounts)


def _administers(policy: Policy, roles: Iterable[str], *, active: bool) -> bool:
    return active and any("administer" in policy.rules(role).city for role in roles)
