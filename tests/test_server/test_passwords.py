"""Passwords and codes as they are kept and compared."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher, extract_parameters

from cim_core.errors import InvalidInput
from server.access import passwords, totp
from tests.support.people import MEMORY_KIB

RFC_6238 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""The secret of the standard's test values (appendix B), base 32."""


def test_a_password_is_kept_as_argon2id_with_a_salt_of_its_own() -> None:
    one, two = (passwords.hashed("数据 five words", MEMORY_KIB) for _ in range(2))
    assert one != two
    kept = extract_parameters(one)
    assert (kept.type.name, kept.memory_cost, kept.time_cost, kept.parallelism) == (
        "ID", MEMORY_KIB, 3, 1,
    )  # fmt: skip
    assert passwords.matches("数据 five words", one, MEMORY_KIB)
    assert not passwords.matches("数据 Five words", one, MEMORY_KIB)
    assert PasswordHasher().verify(one, "数据 five words")


def test_a_password_is_the_same_however_a_keyboard_composes_it() -> None:
    kept = passwords.hashed("e\N{COMBINING ACUTE ACCENT}cole １２３", MEMORY_KIB)
    assert passwords.matches("\N{LATIN SMALL LETTER E WITH ACUTE}cole 123", kept, MEMORY_KIB)


def test_other_means_make_a_hash_outdated_and_no_worse() -> None:
    kept = passwords.hashed("word", MEMORY_KIB)
    assert not passwords.outdated(kept, MEMORY_KIB)
    assert passwords.outdated(kept, 2 * MEMORY_KIB)
    assert passwords.matches("word", kept, 2 * MEMORY_KIB)


def test_nobodys_password_is_compared_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    class Watched(PasswordHasher):
        def verify(self, kept: str, password: str) -> bool:
            compared.append(extract_parameters(kept).memory_cost)
            return super().verify(kept, password)

    monkeypatch.setattr(passwords, "_hasher", lambda memory: Watched(3, memory, 1))
    assert not passwords.matches("word", None, MEMORY_KIB)
    assert compared == [MEMORY_KIB]


def test_a_storm_of_passwords_takes_two_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    lock, running, most = threading.Lock(), [0], [0]

    class Watched(PasswordHasher):
        def verify(self, kept: str, password: str) -> bool:
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            try:
                return super().verify(kept, password)
            finally:
                with lock:
                    running[0] -= 1

    kept = passwords.hashed("word", MEMORY_KIB)
    monkeypatch.setattr(passwords, "_hasher", lambda memory: Watched(3, memory, 1))
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(lambda _: passwords.matches("word", kept, MEMORY_KIB), range(12)))
    assert all(found)
    assert most[0] <= 2


@pytest.mark.parametrize("password", ["", "123456789", "Town-A-Reporter", "ＴＯＷＮ-a-reporter"])
def test_a_password_too_short_or_too_plain_is_refused_in_one_sentence(password: str) -> None:
    with pytest.raises(InvalidInput, match="at least 10 characters"):
        passwords.check_password(password, "town-a-reporter", 10)
    passwords.check_password("1234567890", "town-a-reporter", 10)


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"),
        (1_234_567_890, "005924"), (2_000_000_000, "279037"), (20_000_000_000, "353130"),
    ],
)  # fmt: skip
def test_codes_are_those_of_the_standard_and_good_for_the_step_beside(now: int, code: str) -> None:
    step = now // 30
    assert totp.step_of(RFC_6238, code, now) == step
    assert totp.step_of(RFC_6238, f" {code[:3]} {code[3:]}", now + 30) == step
    assert totp.step_of(RFC_6238, code, now + 90) is None
    assert totp.step_of(RFC_6238, "", now) is None
