"""Accounts, towns and departments, as they are kept."""

import json
import sqlite3
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import shapely

from cim_core.errors import InvalidInput
from cim_core.store.office_file import hash_of

ROLES = (
    "viewer", "reporter", "supervisor", "editor", "data-manager", "security-administrator",
    "auditor",
)  # fmt: skip
ADMINISTRATOR = "security-administrator"
AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can sign in. What is secret of them is not in `repr`.

    subject
        Who they are to the city's own identity service, for those who sign in there (`sso`).
    password, totp, totp_pending
        The hash of the password; the secret of the second factor, and one not confirmed yet.
    failures, locked_until
        How often signing in failed since it last worked, and until when it is refused, seconds
        since 1970.
    """

    id: str
    name: str
    title: str
    roles: tuple[str, ...]
    towns: tuple[str, ...]
    department: str | None
    active: bool
    sso: bool
    subject: str | None
    password: str | None = field(repr=False)
    totp: str | None = field(repr=False)
    totp_pending: str | None = field(repr=False)
    created: str
    last_signed_in: str | None
    failures: int
    locked_until: float | None


@dataclass(frozen=True, slots=True)
class Town:
    """A part of the city that has people of its own; the boundary in degrees."""

    id: str
    title: Mapping[str, str]
    boundary: shapely.Geometry | None


@dataclass(frozen=True, slots=True)
class Department:
    """Whom layers belong to; the id is the text that layers have."""

    id: str
    title: Mapping[str, str]


def checked_roles(roles: Sequence[str]) -> tuple[str, ...]:
    """The roles in their own order, each once; raises `InvalidInput`."""
    for role in roles:
        if role not in ROLES:
            raise InvalidInput(f"there is no role {role!r}; take of {', '.join(ROLES)}")
    if {ADMINISTRATOR, AUDITOR} <= set(roles):
        raise InvalidInput(
            "nobody is security-administrator and auditor at once: who grants rights does not check "
            "what was done with them; leave one of the two out"
        )
    return tuple(role for role in ROLES if role in roles)


def name_hash(name: str) -> str:
    """The hash of a name as names are compared: without case, one way to write each letter.

    >>> name_hash(" Straße１") == name_hash("STRASSE1")
    True
    """
    plain = unicodedata.normalize("NFKC", name.strip()).casefold()
    return hash_of(unicodedata.normalize("NFKC", plain))


def account_of(row: sqlite3.Row) -> Account:
    """The account of a row of `accounts` with its towns and its failures."""
    return Account(
        row["id"], row["name"], row["title"], tuple(json.loads(row["roles"])),
        tuple(sorted(json.loads(row["towns"]))), row["department"], bool(row["active"]), bool(row["sso"]),
        row["subject"], row["password"], row["totp"], row["totp_pending"], row["created"],
        row["last_signed_in"], row["count"] or 0, row["locked_until"],
    )  # fmt: skip


def checked_town_id(town: str) -> str:
    """The id if it can stand in a URL; raises `InvalidInput`."""
    letters = set("abcdefghijklmnopqrstuvwxyz0123456789-_")
    if not (0 < len(town) <= 63 and set(town) <= letters and town[0].isalnum()):
        raise InvalidInput(
            f"the town id {town!r} cannot be used: take 1 to 63 of a–z, 0–9, - and _, beginning "
            "with a letter or digit"
        )
    return town


def checked_boundary(town: str, boundary: shapely.Geometry) -> shapely.Geometry:
    """The boundary if it encloses something on the earth, degrees; raises `InvalidInput`."""
    west, south, east, north = shapely.bounds(boundary)
    if boundary.geom_type not in ("Polygon", "MultiPolygon") or boundary.is_empty:
        raise InvalidInput(
            f"the boundary of the town {town!r} is no area; give a Polygon or MultiPolygon"
        )
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise InvalidInput(
            f"the boundary of the town {town!r} does not lie on the earth; give longitude and "
            "latitude in degrees (WGS 84)"
        )
    if not boundary.is_valid:
        raise InvalidInput(
            f"the boundary of the town {town!r} crosses itself "
            f"({shapely.is_valid_reason(boundary)}); mend it, as with QGIS' “Fix geometries”"
        )
    return shapely.force_2d(boundary)
