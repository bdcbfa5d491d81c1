"""Passwords: how they are kept, compared, made up, and what they must be."""

import secrets
import threading
import unicodedata
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from cim_core.errors import InvalidInput

LONGEST = 256
"""The most characters of a password."""

_AT_ONCE = threading.BoundedSemaphore(2)
"""Each hash takes a core and its memory; what a storm of sign-ins may take is two of each."""

_PASSES = 3
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # without l and o, 0 and 1, which look alike
_GROUPS, _GROUP = 4, 5


def hashed(password: str, memory_kib: int) -> str:
    """What is kept of a password: Argon2id (RFC 9106), one lane, three passes over `memory_kib`."""
    with _AT_ONCE:
        return _hasher(memory_kib).hash(_normal(password))


def matches(password: str, kept: str | None, memory_kib: int) -> bool:
    """Whether a password is the one a hash was made of.

    Where no hash is kept the answer is no, and takes as long: nobody can tell by the clock which
    accounts there are.
    """
    against = kept if kept is not None else _of_nobody(memory_kib)
    with _AT_ONCE:
        try:
            _hasher(memory_kib).verify(against, _normal(password))
        except VerifyMismatchError:
            return False
    return kept is not None


def outdated(kept: str, memory_kib: int) -> bool:
    """Whether a hash was made with other means than are used now."""
    return _hasher(memory_kib).check_needs_rehash(kept)


def random_password() -> str:
    """A password of 100 random bits that can be read out and typed.

    >>> len(random_password()), random_password() != random_password()
    (23, True)
    """
    return "-".join(
        "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS)
    )


def check_password(password: str, name: str, length: int) -> None:
    """Raise `InvalidInput` for a password that is too short, or the account's own name."""
    if len(_normal(password)) < length or _normal(password).casefold() == name.casefold():
        raise InvalidInput(
            f"the new password cannot be used; take at least {length} characters that are not the "
            "account's name, such as five words that do not belong together"
        )


@lru_cache
def _hasher(memory_kib: int) -> PasswordHasher:
    return PasswordHasher(time_cost=_PASSES, memory_cost=memory_kib, parallelism=1)


@lru_cache
def _of_nobody(memory_kib: int) -> str:
    with _AT_ONCE:
        return _hasher(memory_kib).hash(secrets.token_urlsafe())


def _normal(password: str) -> str:
    """The same characters however a keyboard composes them (NIST SP 800-63B-4, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)
