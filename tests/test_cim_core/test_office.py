"""The office of a city: its file, people, sessions, keys, capabilities, policies and counts."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import shapely

from cim_core.city import City
from cim_core.errors import Conflict, Forbidden, InvalidInput, NotFound
from cim_core.sight import EVERYTHING
from cim_core.store.office import Office
from cim_core.store.office_account import ROLES, Account

SQUARE = shapely.box(113.4, 23.0, 113.5, 23.1)


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.time = 1_795_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def office(tmp_path: Path, clock: Clock) -> Iterator[Office]:
    office = Office(tmp_path, clock)
    yield office
    office.close()


@pytest.fixture
def account(office: Office) -> Account:
    return office.people.add("supervisor", roles=["supervisor"], password_hash="hash")


# --- the file


def test_a_city_without_the_file_has_nobody_and_asking_does_not_begin_it(office: Office) -> None:
    assert not office.exists
    people = office.people
    assert (people.all(), people.towns(), people.departments()) == ([], [], [])
    assert people.named("supervisor") is people.of_subject("x") is None
    assert office.sessions.get("x") is office.keys.of("x") is office.capabilities.get("x") is None
    assert office.policies.current() is None
    assert office.audit.verify().as_dict()["entries"] == 0
    assert office.exported.cells("x").dtype == np.uint64
    assert office.uploads.used("x", "2026-11-22") == 0
    with pytest.raises(NotFound, match="nobody with the id"):
        people.get("x")
    assert not office.path.exists()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_nobody_but_its_owner_can_ever_read_the_file(
    tmp_path: Path, umask: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = set()
    really = sqlite3.connect

    def connect(path: Path, *more: object, **options: object) -> sqlite3.Connection:
        modes.add(stat.S_IMODE(Path(path).stat().st_mode))  # before anything stands in it
        return really(path, *more, **options)

    monkeypatch.setattr(sqlite3, "connect", connect)
    before = os.umask(umask)
    try:
        office = Office(tmp_path)
        office.people.add("viewer")
    finally:
        os.umask(before)
    written = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("office.db*")}
    assert written == dict.fromkeys(("office.db", "office.db-wal", "office.db-shm"), 0o600)
    assert modes == {0o600}
    office.close()


@pytest.mark.parametrize("end", ["", "-wal", "-shm"])
def test_a_file_that_others_can_read_is_not_opened(
    office: Office, end: str, tmp_path: Path
) -> None:
    office.people.add("viewer")
    open_to_all = Path(f"{office.path}{end}")
    open_to_all.chmod(0o640)
    with pytest.raises(Forbidden, match=f"chmod 600 {open_to_all}`"):
        Office(tmp_path).people.all()
    open_to_all.chmod(0o600)
    assert len(Office(tmp_path).people.all()) == 1


def test_a_file_that_is_no_office_is_refused(tmp_path: Path) -> None:
    (tmp_path / "office.db").write_bytes(b"something else entirely, of some length" * 50)
    (tmp_path / "office.db").chmod(0o600)
    with pytest.raises(InvalidInput, match="is not the office of a city"):
        Office(tmp_path).people.all()


def test_a_file_of_a_newer_program_is_not_touched(office: Office, tmp_path: Path) -> None:
    office.people.add("viewer")
    with sqlite3.connect(office.path) as connection:
        connection.execute("UPDATE meta SET value = '999' WHERE key = 'schema'")
    connection.close()
    with pytest.raises(Conflict, match="layout 999"):
        Office(tmp_path).people.all()


def test_a_city_and_all_who_see_it_share_one_office(city: City) -> None:
    assert city.office.path == city.folder / "office.db"
    assert city.seen_by(EVERYTHING, None).office is city.office
    city.office.people.add("viewer")
    assert [item.name for item in City.open(city.folder).office.people.all()] == ["viewer"]


WRITER = """
import sys
from pathlib import Path
from cim_core.store.office import Office
office = Office(Path(sys.argv[1]))
for row in range(10):
    office.audit.append("read", f"row {row}")
office.uploads.add("x", "2026-11-22", 1)
"""


def test_several_processes_begin_and_write_one_file(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", WRITER, str(tmp_path)]
    workers = [subprocess.Popen(command, cwd=Path(__file__).parents[2]) for _ in range(2)]
    assert [worker.wait() for worker in workers] == [0, 0]
    office = Office(tmp_path)
    found = office.audit.verify()
    assert (found.intact, found.entries, found.last) == (True, 20, 20)
    assert office.uploads.used("x", "2026-11-22") == 2
    office.close()


# --- people


def test_an_account_is_found_by_id_name_and_subject_however_the_name_is_written(
    office: Office,
) -> None:
    office.people.add_town("town-a", {"zh": "甲镇"}, None)
    office.people.add_town("town-b", {"zh": "乙镇"}, None)
    office.people.add_department("水务 Water", {"zh": "水务"})
    made = office.people.add(
        "Straße", title="某人", roles=["reporter", "viewer", "reporter"],
        towns=["town-b", "town-a", "town-b"], department="水务 Water", sso=True,
    )  # fmt: skip
    assert made.roles == ("viewer", "reporter")
    assert made.towns == ("town-a", "town-b")
    assert (made.active, made.sso, made.password, made.failures) == (True, True, None, 0)
    office.people.change(made.id, subject="https://id.example/|42")
    for name in ("Straße", "STRASSE", " strasse ", "ｓｔｒａｓｓｅ"):
        assert office.people.named(name).id == made.id
    assert office.people.named("Strase") is None
    assert office.people.of_subject("https://id.example/|42").id == made.id
    assert office.people.get(made.id).title == "某人"
    with pytest.raises(Conflict, match="'STRASSE' is taken"):
        office.people.add("STRASSE")


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x00b", "x" * 65, "\ud800"])
def test_a_name_nobody_can_read_is_refused(office: Office, name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be used as a name"):
        office.people.add(name)
    assert office.people.named(name) is None


def test_nobody_grants_rights_and_checks_their_use(office: Office) -> None:
    with pytest.raises(InvalidInput, match="security-administrator and auditor at once"):
        office.people.add("one", roles=["auditor", "security-administrator"])
    one = office.people.add("one", roles=["auditor"])
    with pytest.raises(InvalidInput, match="security-administrator and auditor at once"):
        office.people.change(one.id, roles=ROLES)
    with pytest.raises(InvalidInput, match="no role 'root'"):
        office.people.change(one.id, roles=["root"])
    assert office.people.get(one.id).roles == ("auditor",)
    assert office.people.change(one.id, roles=["security-administrator"]).roles == (
        "security-administrator",
    )


def test_a_change_is_whole_or_not_at_all(office: Office, account: Account) -> None:
    other = office.people.add("viewer")
    office.people.change(other.id, subject="taken")
    with pytest.raises(Conflict, match="that person of the identity service already"):
        office.people.change(account.id, title="new", subject="taken")
    with pytest.raises(InvalidInput, match="no town 'town-a' in this city; add it first"):
        office.people.change(account.id, title="new", towns=["town-a"])
    with pytest.raises(InvalidInput, match="no department 'x' in this city; add it first"):
        office.people.change(account.id, title="new", department="x")
    with pytest.raises(NotFound, match="nobody with the id"):
        office.people.change("nobody", title="new")
    assert office.people.get(account.id) == account


def test_what_is_secret_of_an_account_is_not_in_its_text(office: Office, account: Account) -> None:
    changed = office.people.change(account.id, totp="JBSWY3DPEHPK3PXP", totp_pending="PENDING")
    assert (changed.totp, changed.totp_pending) == ("JBSWY3DPEHPK3PXP", "PENDING")
    assert not any(secret in repr(changed) for secret in ("hash", "JBSWY3DPEHPK3PXP", "PENDING"))


def test_who_is_made_inactive_is_signed_out_at_once(office: Office, account: Account) -> None:
    token = office.sessions.begin(account.id, "", 3600, "password")
    session = office.sessions.get(token)
    tile = office.capabilities.begin(account.id, session.id, None)
    link = office.sessions.link(account.id)
    key, secret = office.keys.add(account.id, "k", ["read"], 1)
    office.people.change(account.id, active=False)
    assert office.sessions.get(token) is office.capabilities.get(tile) is None
    assert office.sessions.take_link(link) is office.keys.of(secret) is None
    office.people.change(account.id, active=True)
    assert office.sessions.get(token) is None
    assert office.keys.of(secret).id == key.id


@pytest.mark.parametrize("name", ["supervisor", "nobody"])
def test_a_name_is_locked_by_the_last_failure_allowed_and_nothing_else_is(
    office: Office, account: Account, name: str
) -> None:
    other = office.people.add("viewer")

    def failed(at: float) -> float | None:
        return office.people.failed(name.upper(), at, allowed=3, seconds=60)

    assert [failed(0), failed(1), failed(2)] == [None, None, 62]
    assert failed(30) == 62, "failures while it is locked do not prolong it"
    assert office.people.locked_until(name, 61) == 62
    assert office.people.locked_until(name, 62) is None
    assert office.people.locked_until("viewer", 30) is None
    assert office.people.get(other.id).failures == 0
    assert [failed(63), failed(64)] == [None, None], "it is counted anew"
    assert [failed(125), failed(126)] == [None, None], "what is long ago does not count"


def test_signing_in_and_unlocking_forget_the_failures(office: Office, account: Account) -> None:
    for at in (1.0, 2.0):
        office.people.failed("supervisor", at, allowed=2, seconds=60)
    locked = office.people.get(account.id)
    assert (locked.failures, locked.locked_until, locked.last_signed_in) == (2, 62, None)
    office.people.unlock(account.id)
    assert office.people.get(account.id) == account
    office.people.failed("supervisor", 3.0, allowed=2, seconds=60)
    office.people.succeeded(account.id)
    found = office.people.get(account.id)
    assert (found.failures, found.last_signed_in) == (0, "2026-11-18T11:06:40.000Z")


def test_what_is_typed_where_a_name_belongs_is_not_kept(office: Office) -> None:
    office.people.failed("correct horse staple", 1.0, allowed=5, seconds=60)
    office.close()
    assert b"horse" not in office.path.read_bytes()


def test_a_code_of_the_second_factor_is_taken_once(office: Office, account: Account) -> None:
    taken = [office.people.take_step(account.id, step) for step in (7, 7, 6, 8)]
    assert taken == [True, False, False, True]


# --- towns and departments


def test_a_town_keeps_its_boundary_and_goes_when_nobody_is_in_it(
    office: Office, account: Account
) -> None:
    town = office.people.add_town("town-a", {"zh": "甲镇", "en": "Town A"}, SQUARE)
    assert (dict(town.title), town.boundary.equals(SQUARE)) == (
        {"zh": "甲镇", "en": "Town A"},
        True,
    )
    with pytest.raises(Conflict, match="a town 'town-a' already"):
        office.people.add_town("town-a", {"zh": "甲镇"}, None)
    moved = shapely.box(113.5, 23.0, 113.6, 23.1)
    assert office.people.change_town("town-a", boundary=moved).boundary.equals(moved)
    assert dict(office.people.change_town("town-a", title={"en": "A"}).title) == {"en": "A"}
    assert office.people.towns()[0].boundary.equals(moved)
    office.people.change(account.id, towns=["town-a"])
    with pytest.raises(Conflict, match="somebody is in the town 'town-a'"):
        office.people.remove_town("town-a")
    office.people.change(account.id, towns=[])
    office.people.remove_town("town-a")
    for fails in (office.people.remove_town, office.people.change_town):
        with pytest.raises(NotFound, match="no town 'town-a'"):
            fails("town-a")


@pytest.mark.parametrize(
    ("town", "boundary", "sentence"),
    [
        ("Town A", SQUARE, "the town id 'Town A' cannot be used"),
        ("a", shapely.LineString([(113, 23), (114, 24)]), "is no area"),
        ("a", shapely.Polygon(), "is no area"),
        ("a", shapely.box(443700, 2554700, 443800, 2554800), "does not lie on the earth"),
        ("a", shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), "crosses itself"),
    ],
)
def test_a_town_that_cannot_be_is_refused(
    office: Office, town: str, boundary: shapely.Geometry, sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        office.people.add_town(town, {"en": "A"}, boundary)


def test_a_department_is_named_as_layers_name_it(office: Office, account: Account) -> None:
    office.people.add_department("水务 Water", {"en": "Water"})
    with pytest.raises(Conflict, match="already"):
        office.people.add_department("水务 Water", {"en": "Water"})
    with pytest.raises(InvalidInput, match="at least one"):
        office.people.add_department("x", {})
    office.people.change(account.id, department="水务 Water")
    with pytest.raises(Conflict, match="somebody is in the department"):
        office.people.remove_department("水务 Water")
    office.people.change(account.id, department=None)
    office.people.remove_department("水务 Water")
    with pytest.raises(NotFound, match="no department"):
        office.people.remove_department("水务 Water")


# --- sessions, links, keys, capabilities


def test_a_session_ends_by_time_by_disuse_and_by_signing_out(
    office: Office, account: Account, clock: Clock
) -> None:
    token = office.sessions.begin(account.id, "10.0.0.7", 3600, "password")
    begun = clock.time
    session = office.sessions.get(token)
    assert (session.account, session.kind, session.address) == (account.id, "password", "10.0.0.7")
    assert (session.created, session.expires) == (begun, begun + 3600)
    clock.time += 59
    office.sessions.get(token)
    assert office.sessions.get(token).last_used == begun, "not written every time"
    clock.time += 1
    office.sessions.get(token)
    assert office.sessions.get(token).last_used == begun + 60
    clock.time += 600
    assert office.sessions.get(token, idle=600) is None
    assert office.sessions.get(token, idle=601) is not None
    clock.time = begun + 3600
    assert office.sessions.get(token) is None
    other = office.sessions.begin(account.id, "", 10, "oidc")
    office.sessions.end(other)
    assert office.sessions.get(other) is None


def test_all_sessions_but_one_end_at_once(office: Office, account: Account) -> None:
    tokens = [office.sessions.begin(account.id, "", 60, "password") for _ in range(3)]
    stranger = office.people.add("viewer")
    kept = office.sessions.begin(stranger.id, "", 60, "password")
    link = office.sessions.link(account.id)
    office.sessions.end_all(account.id, but=office.sessions.get(tokens[1]).id)
    assert [office.sessions.get(token) is not None for token in (*tokens, kept)] == [
        False, True, False, True,
    ]  # fmt: skip
    assert office.sessions.take_link(link) is None
    office.sessions.end_all(account.id)
    assert office.sessions.get(tokens[1]) is None


def test_a_link_signs_in_once_and_within_an_hour(
    office: Office, account: Account, clock: Clock
) -> None:
    link = office.sessions.link(account.id)
    assert [office.sessions.take_link(link) for _ in range(2)] == [account.id, None]
    late, early = office.sessions.link(account.id, 1e9), office.sessions.link(account.id, 1e9)
    clock.time += 3599
    assert office.sessions.take_link(early) == account.id
    clock.time += 1
    assert office.sessions.take_link(late) is None
    assert office.sessions.take_link("\ud800") is None


def test_a_key_is_good_until_it_is_revoked_or_too_old(
    office: Office, account: Account, clock: Clock
) -> None:
    key, secret = office.keys.add(account.id, "night import", ["read", "manage"], 30)
    assert secret.startswith("cim_")
    assert (key.scopes, key.expires) == (("read", "manage"), "2026-12-18T11:06:40.000Z")
    assert office.keys.of(secret).id == key.id
    assert office.keys.get(key.id).last_used == "2026-11-18T11:06:40.000Z"
    assert office.keys.of(secret[:-1]) is None
    clock.time += 30 * 86_400
    assert office.keys.of(secret) is None
    other, good = office.keys.add(account.id, "other", ["read"], 1)
    tile = office.capabilities.begin(account.id, None, other.id)
    assert [item.title for item in office.keys.all()] == ["other", "night import"]
    assert office.keys.all("nobody") == []
    for _ in range(2):
        office.keys.revoke(other.id)
    assert office.keys.of(good) is office.capabilities.get(tile) is None
    with pytest.raises(NotFound):
        office.keys.revoke("x")
    for days in (0, 3651):
        with pytest.raises(InvalidInput, match="good for 1 to 3650 days"):
            office.keys.add(account.id, "x", ["read"], days)


def test_a_capability_goes_with_its_session_and_lasts_an_hour_at_most(
    office: Office, account: Account, clock: Clock
) -> None:
    token = office.sessions.begin(account.id, "", 86_400, "password")
    session = office.sessions.get(token).id
    first, second = (office.capabilities.begin(account.id, session, None, 1e9) for _ in range(2))
    found = office.capabilities.get(first)
    assert (found.account, found.session, found.key) == (account.id, session, None)
    assert found.expires == clock.time + 3600
    office.sessions.end(token)
    assert office.capabilities.get(first) is office.capabilities.get(second) is None
    third = office.capabilities.begin(None, None, None, 60)
    clock.time += 60
    assert office.capabilities.get(third) is None


def test_no_token_can_be_read_from_the_file(office: Office, account: Account) -> None:
    tokens = [
        office.sessions.begin(account.id, "", 60, "password"), office.sessions.link(account.id),
        office.keys.add(account.id, "k", ["read"], 1)[1], office.capabilities.begin(None, None, None),
    ]  # fmt: skip
    assert len(set(tokens)) == 4
    assert all(len(token.removeprefix("cim_")) >= 43 for token in tokens)  # 256 bits as base64
    with sqlite3.connect(office.path) as connection:
        dump = "\n".join(connection.iterdump())
    connection.close()
    assert not any(token in dump for token in tokens)
    assert not any(token.removeprefix("cim_") in dump for token in tokens)


# --- policies, exports, uploads


def test_of_two_who_change_the_policy_the_slower_is_told(office: Office) -> None:
    assert office.policies.put({"roles": {}}, 0, "one") == 1
    with pytest.raises(Conflict, match="version 1 holds, not 0"):
        office.policies.put({"roles": {"viewer": {}}}, 0, "other")
    assert office.policies.put({"名": "值"}, 1, "other") == 2
    assert office.policies.current() == (2, {"名": "值"})


def test_cells_taken_out_are_counted_once_and_a_refusal_counts_nothing(office: Office) -> None:
    high = np.array([2**64 - 1, 5, 5], np.uint64)

    def refuse(cells: np.ndarray) -> None:
        assert sorted(cells.tolist()) == [5, 6, 2**64 - 1]
        raise Forbidden("too much")

    office.exported.add("a", high, "export-1")
    with pytest.raises(Forbidden, match="too much"):
        office.exported.add("a", np.array([5, 6], np.uint64), "export-2", refuse)
    assert sorted(office.exported.cells("a").tolist()) == [5, 2**64 - 1]
    assert office.exported.cells("b").tolist() == []


def test_uploads_are_counted_by_day(office: Office) -> None:
    assert [office.uploads.add("a", "2026-11-22", count) for count in (5, 7, -2)] == [5, 12, 10]
    assert office.uploads.used("a", "2026-11-23") == office.uploads.used("b", "2026-11-22") == 0
    office.uploads.add("a", "2026-11-23", 1)
    assert office.uploads.used("a", "2026-11-22") == 0
