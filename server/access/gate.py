"""Where a request is told who it comes from and what that person may."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import shapely

from cim_core.city import City
from cim_core.receipt import now
from cim_core.store.labels import Label
from cim_core.store.office_account import Account
from server.access.access import Access
from server.access.labels import has_things, labels_of
from server.access.person import Person, Via, stranger
from server.access.policy import Policy, default_policy, loopback_policy, read_policy

_BELIEVED_SECONDS = 2.0
"""How long what the office said is believed: what another process changes holds after that."""

_REMEMBERED = 10_000

Kind = Literal["none", "default", "own"]


@dataclass(frozen=True)
class InForce:
    """The policy of a city now.

    kind
        none: the city has not decided anything; default: it took over ours; own: it has its own.
    version
        Counts the policies the city had.
    """

    kind: Kind
    version: int
    policy: Policy


@dataclass
class _Office:
    """What the office said at a time."""

    until: float
    in_force: InForce
    boundaries: Mapping[str, shapely.Geometry]
    people: dict[str, Person | None] = field(default_factory=dict)


@dataclass
class _Looked:
    """What one thread found when it last looked at the city."""

    stamp: tuple[int, int, int, bool]
    labels: Mapping[str, Label]
    accesses: dict[Person, Access] = field(default_factory=dict)


class Gate:
    """Tells who asks and what they may; asked for every request, so it remembers."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._local = threading.local()
        self._lock = threading.Lock()
        self._generation = 0
        self._office: _Office | None = None
        self._capabilities: OrderedDict[tuple[str | None, ...], str] = OrderedDict()

    def forget(self) -> None:
        """Something was changed by this process: believe nothing that was found before."""
        with self._lock:
            self._generation += 1
            self._office = None

    @property
    def in_force(self) -> InForce:
        """The policy now."""
        return self._now().in_force

    def access(self, person: Person) -> Access:
        """What a person may do."""
        office = self._now()
        stamp = (
            self._generation, self._city.database.change_counter(), int(office.until * 1000),
            has_things(self._city),
        )  # fmt: skip
        looked: _Looked | None = getattr(self._local, "looked", None)
        if looked is None or looked.stamp != stamp:
            looked = _Looked(stamp, labels_of(self._city))
            self._local.looked = looked
        access = looked.accesses.get(person)
        if access is None:
            bounds = tuple(
                office.boundaries[town] for town in person.towns if town in office.boundaries
            )
            access = Access(person, office.in_force.policy, looked.labels, bounds)
            if len(looked.accesses) < _REMEMBERED:
                looked.accesses[person] = access
        return access

    def anyone(self, address: str, *, here: bool) -> Person:
        """Somebody who does not say who they are; `here` is on this machine."""
        return stranger(address, loopback=here and self.in_force.kind == "none")

    def by_session(self, token: str, address: str) -> Person | None:
        """Who has a session; None if it has ended."""

        def find() -> Person | None:
            idle = 60 * self.in_force.policy.limits.idle_minutes
            session = self._city.office.sessions.get(token, idle=idle)
            return self._person(session.account, "session", session=session.id) if session else None

        return self._believed(f"session {token}", address, find)

    def by_key(self, secret: str, address: str) -> Person | None:
        """Whose key it is; None if it is none, or no more."""

        def find() -> Person | None:
            key = self._city.office.keys.of(secret)
            if key is None:
                return None
            return self._person(key.account, "key", scopes=frozenset(key.scopes), key=key.id)

        return self._believed(f"key {secret}", address, find)

    def remembered_key(self, secret: str, address: str) -> Person | None:
        """Whose key it is as far as that is known without asking the office."""
        office = self._office
        if office is None or time.monotonic() > office.until:
            return None
        return _at(office.people.get(f"key {secret}"), address)

    def by_capability(self, token: str, address: str) -> Person | None:
        """For whom the capability in an address was given; None if it is none, or no more."""

        def find() -> Person | None:
            known = self._city.office.capabilities.get(token)
            if known is None:
                return None
            return self._person(known.account, "capability", scopes=frozenset({"read"}))

        return self._believed(f"capability {token}", address, find)

    def capability(self, person: Person) -> tuple[str, float] | None:
        """What opens the addresses of protected tiles for somebody who is signed in.

        With the time it ends, seconds since 1970; the same one until half of its time has passed.
        """
        if person.via not in ("session", "key"):
            return None
        whose = (person.id, person.session, person.key)
        store = self._city.office.capabilities
        seconds = 60 * self.in_force.policy.limits.capability_minutes
        with self._lock:
            token = self._capabilities.get(whose)
            known = store.get(token) if token is not None else None
            if token and known and known.expires - time.time() > seconds / 2:
                return token, known.expires
            token = store.begin(*whose, seconds)
            self._capabilities[whose] = token
            while len(self._capabilities) > _REMEMBERED:
                self._capabilities.popitem(last=False)
        return token, time.time() + seconds

    def still(self, person: Person) -> Access | None:
        """What somebody may do who began to listen a while ago; None if they are signed out by now."""
        if person.id is None:
            return self.access(self.anyone(person.address, here=person.via == "loopback"))
        now = self._person(person.id, person.via, scopes=person.scopes)
        if now is None or not self._holds(person):
            return None
        return self.access(now)

    def _holds(self, person: Person) -> bool:
        """Whether the session or the key that somebody came with is good yet."""
        office = self._city.office
        if person.session is not None:
            return office.sessions.has(person.session)
        if person.key is None:
            return True
        key = office.keys.get(person.key)
        return not key.revoked and key.expires > now()

    def account(self, account_id: str) -> Access:
        """What an account may do, as if it were signed in; nothing for one that is not active."""
        person = self._person(account_id, "session")
        return self.access(person or stranger())

    def _believed(
        self, what: str, address: str, find: Callable[[], Person | None]
    ) -> Person | None:
        office = self._now()
        if what not in office.people:
            if not self._city.office.exists:
                return None
            if len(office.people) < _REMEMBERED:
                office.people[what] = find()
            else:
                return _at(find(), address)
        return _at(office.people[what], address)

    def _person(
        self, account_id: str | None, via: Via, *, scopes: frozenset[str] | None = None,
        session: str | None = None, key: str | None = None,
    ) -> Person | None:  # fmt: skip
        if account_id is None:
            return None
        account: Account = self._city.office.people.get(account_id)
        if not account.active:
            return None
        return Person(
            account.id, account.name, account.roles, via, account.title, account.towns,
            account.department, scopes, session, key, second_factor=account.totp is not None or account.sso,
        )  # fmt: skip

    def _now(self) -> _Office:
        office = self._office
        if office is None or time.monotonic() > office.until:
            with self._lock:
                office = self._office = self._asked()
        return office

    def _asked(self) -> _Office:
        office = self._city.office
        until = time.monotonic() + _BELIEVED_SECONDS
        found = office.policies.current() if office.exists else None
        if found is None:
            in_force = InForce("none", 0, loopback_policy())
        else:
            policy = read_policy(found[1])
            own: Kind = "default" if policy == default_policy() else "own"
            in_force = InForce(own, found[0], policy)
        towns = office.people.towns() if office.exists else []
        return _Office(
            until, in_force, {town.id: town.boundary for town in towns if town.boundary is not None}
        )


def _at(person: Person | None, address: str) -> Person | None:
    return person and replace(person, address=address)
