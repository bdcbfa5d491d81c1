"""Signing in: one answer for everybody who is not let in, and a lock on names tried too often."""

import time
from dataclasses import dataclass

from cim_core.errors import CodeNeeded, SignInNeeded, TooMany
from cim_core.store.office import Office
from cim_core.store.office_account import Account
from server.access import totp
from server.access.notes import Note
from server.access.oidc import Confirmed
from server.access.passwords import hashed, matches, outdated
from server.access.policy import Limits
from server.people import signs_in_by_link


@dataclass(frozen=True, slots=True)
class Door:
    """Where people sign in to a city.

    memory_kib
        What a hash of a password takes.
    address
        Where the request comes from.
    """

    office: Office
    limits: Limits
    memory_kib: int
    address: str
    note: Note

    def by_password(self, name: str, password: str, code: str | None) -> str:
        """The token of a new session.

        Raises `SignInNeeded`, with the same words for a name nobody has, a wrong password and an
        account that is not active; `CodeNeeded` where only the second factor is missing; `TooMany`
        while the name is locked, before anything is compared.
        """
        account = self.office.people.named(name)
        self._noted("password", account)
        self._attempt(name)
        kept = account.password if account is not None and account.active else None
        if not matches(password, kept, self.memory_kib) or account is None or kept is None:
            raise SignInNeeded(
                "name or password is wrong, or the account is not active; try again, or ask the city's "
                "security administrator"
            )
        if account.totp is not None:
            self._check_code(account, account.totp, code)
        if outdated(kept, self.memory_kib):
            self.office.people.change(account.id, password=hashed(password, self.memory_kib))
        return self._begin(account, "password")

    def by_link(self, token: str) -> str:
        """The token of a new session for a link to sign in, which is used up by it."""
        found = self.office.sessions.take_link(token)
        account = None if found is None else self.office.people.get(found)
        self._noted("link", account)
        if account is None or not signs_in_by_link(account):
            raise SignInNeeded(
                "this link signs nobody in, or not any more; ask the city's security administrator "
                "for another, or sign in with name and password"
            )
        return self._begin(account, "link")

    def by_service(self, confirmed: Confirmed) -> str:
        """The token of a new session for somebody the city's identity service has confirmed.

        The first time the account is found by its name, if it is meant to sign in there, and belongs
        to that subject from then on.
        """
        people = self.office.people
        account = people.of_subject(confirmed.subject)
        if account is None and confirmed.name:
            named = people.named(confirmed.name)
            if named is not None and named.sso and named.subject is None and named.active:
                account = people.change(named.id, subject=confirmed.subject)
        self._noted("oidc", account)
        if account is None or not account.active or not account.sso:
            raise SignInNeeded(
                "the identity service knows you, but this city has no active account for you; ask its "
                "security administrator"
            )
        return self._begin(account, "oidc")

    def confirm(self, account: Account, password: str) -> None:
        """Raise `SignInNeeded` or `TooMany` unless it is the password of somebody signed in."""
        self._attempt(account.name)
        if not matches(password, account.password, self.memory_kib):
            raise SignInNeeded("the present password is wrong; type it again")
        self.office.people.unlock(account.id)

    def confirm_code(self, account: Account, secret: str, code: str) -> None:
        """Raise `CodeNeeded` or `TooMany` unless a code of a secret is good, once."""
        self._attempt(account.name)
        self._check_code(account, secret, code)
        self.office.people.unlock(account.id)

    def check_lock(self, name: str) -> None:
        """Raise `TooMany` while a name is locked, whether anybody has it or not."""
        now = time.time()
        until = self.office.people.locked_until(name, now)
        if until is not None:
            raise self._locked(name, until - now)

    def _attempt(self, name: str) -> None:
        """Count an attempt before anything is compared, so that many at once gain nothing."""
        self.check_lock(name)
        now, seconds = time.time(), 60 * self.limits.lock_minutes
        until = self.office.people.failed(name, now, allowed=self.limits.failures, seconds=seconds)
        # The last attempt that is allowed locks the name, and is still one.
        if until is not None and until < now + seconds:
            raise self._locked(name, until - now)

    def _locked(self, name: str, seconds: float) -> TooMany:
        account = self.office.people.named(name)
        self._noted("password", account)
        return TooMany(
            "this name was tried too often and is locked; try again in "
            f"{max(1, round(seconds / 60))} min, or ask the city's security administrator to unlock it",
            seconds,
        )

    def _noted(self, how: str, account: Account | None) -> None:
        """For the log: how somebody tried to sign in, and as whom.

        A name that nobody has is not written down: it may be a password in the wrong field.
        """
        self.note.detail.update(how=how, name=account.name if account else None)
        if account is not None:
            self.note.account = (account.id, account.name)

    def _check_code(self, account: Account, secret: str, code: str | None) -> None:
        if code is None:
            raise CodeNeeded("a code of your authenticator app is needed as well; give it")
        step = totp.step_of(secret, code, time.time())
        if step is None or not self.office.people.take_step(account.id, step):
            raise CodeNeeded(
                "the code is wrong, too old or was used already; give the one your authenticator app "
                "shows next"
            )

    def _begin(self, account: Account, how: str) -> str:
        self.office.people.succeeded(account.id)
        seconds = 3600 * self.limits.session_hours
        return self.office.sessions.begin(account.id, self.address, seconds, how)
