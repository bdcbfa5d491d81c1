"""Who asks."""

from dataclasses import dataclass
from typing import Literal

Via = Literal["session", "key", "capability", "loopback", "stranger"]


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever a request comes from, signed in or not.

    id
        Of the account; None for strangers and for everyone on this machine while there is no policy.
    roles
        Of the account, or the pseudo-role `loopback` or `stranger`.
    scopes
        The only verbs a key is good for; None where nothing narrows what the roles may.
    session, key
        The hash of the session, and the id of the key, that they came with.
    second_factor
        Whether the account has one, or signs in with the identity service, which looks after that.
    """

    id: str | None
    name: str
    roles: tuple[str, ...]
    via: Via
    title: str = ""
    towns: tuple[str, ...] = ()
    department: str | None = None
    scopes: frozenset[str] | None = None
    session: str | None = None
    key: str | None = None
    address: str = ""
    second_factor: bool = False

    @property
    def known(self) -> bool:
        """Whether somebody is signed in."""
        return self.id is not None


def stranger(address: str = "", *, loopback: bool = False) -> Person:
    """Nobody who is known: from anywhere, or on this machine while the city has no policy."""
    role: Via = "loopback" if loopback else "stranger"
    return Person(None, role, (role,), role, address=address)
