"""Signing in and out of a real server, and looking after one's own account."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

import httpx
import pyotp
import pytest

from cim_core.city import City
from server.access.policy import public_policy
from tests.support.people import Office, open_office, sign_in

COOKIE = "cim_session"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A city where strangers may read what is public."""
    folder = tmp_path_factory.mktemp("session")
    city = City.open_or_create(folder / "city", "黄埔")
    policy = public_policy().document()
    policy["limits"]["second_factor"] = ["security-administrator"]
    city.office.policies.put(policy, 0, "test")
    people = {
        "administrator": ("security-administrator",),
        "Supervisor": ("supervisor",),
        "reporter": ("reporter",),
        "reporter-2": ("reporter",),
        "retired": ("viewer",),
        "data-manager": ("data-manager",),
    }
    running = open_office(folder, city, people, CIM_PROXIES="127.0.0.1")
    city.office.people.change(running.id_of("retired"), active=False)
    yield running
    running.stop()


@pytest.fixture
def stranger(office: Office) -> httpx.Client:
    return office.stranger()


def test_signing_in_tells_who_one_is_and_signing_out_ends_it(
    office: Office, stranger: httpx.Client
) -> None:
    before = stranger.get("/session").json()
    assert (before["person"], before["via"], before["expires"]) == (None, "stranger", None)
    assert before["may"] == ["read", "export"]
    assert before["oidc"] is None
    answer = sign_in(stranger, "ＳＵＰＥＲＶＩＳＯＲ ", office.passwords["Supervisor"])
    assert answer.status_code == 201
    assert answer.json()["person"]["name"] == "Supervisor"
    now = stranger.get("/session").json()
    assert now == answer.json()
    assert {"own", "read", "order"} <= set(now["may"])
    assert now["via"] == "session"
    assert now["person"]["last_signed_in"] is not None
    token = stranger.cookies[COOKIE]
    assert stranger.delete("/session").status_code == 204
    assert COOKIE not in stranger.cookies
    again = stranger.get("/session", headers={"cookie": f"{COOKIE}={token}"})
    assert again.json()["person"] is None


def test_the_cookie_is_for_this_site_and_no_page_reads_it(
    office: Office, stranger: httpx.Client
) -> None:
    answer = sign_in(stranger, "supervisor", office.passwords["Supervisor"])
    parts = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert parts == {"httponly", "samesite=strict", "path=/"}
    with httpx.Client(base_url=office.server.url) as behind_tls:
        answer = behind_tls.post(
            "/session",
            json={"name": "supervisor", "password": office.passwords["Supervisor"]},
            headers={"x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.7"},
        )
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-cim_session=")
    assert "secure" in {part.strip().lower() for part in cookie.split(";")}


def test_signing_in_again_ends_the_session_there_was(
    office: Office, stranger: httpx.Client
) -> None:
    sign_in(stranger, "supervisor", office.passwords["Supervisor"])
    first = stranger.cookies[COOKIE]
    sign_in(stranger, "supervisor", office.passwords["Supervisor"])
    assert stranger.cookies[COOKIE] != first
    assert office.city.office.sessions.get(first) is None


def test_nobody_learns_which_accounts_there_are(office: Office, stranger: httpx.Client) -> None:
    answers = [
        sign_in(stranger, "nobody-has-this-name", "whatever it is"),
        sign_in(stranger, "supervisor", "whatever it is"),
        sign_in(stranger, "retired", office.passwords["retired"]),
        sign_in(stranger, "retired", "whatever it is"),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["detail_zh"]


def test_a_storm_locks_one_account_and_nobody_else(office: Office) -> None:
    def attempt(number: int) -> httpx.Response:
        return sign_in(clients[number % 8], "reporter", f"guess number {number}")

    clients = [office.stranger() for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        storm = [threads.submit(attempt, number) for number in range(200)]
        meanwhile = office.known("reporter-2")
        answers = [attempt.result() for attempt in storm]
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(401), statuses.count(429)) == (5, 195)
    locked = next(answer for answer in answers if answer.status_code == 429)
    assert 800 < int(locked.headers["retry-after"]) <= 900
    assert meanwhile.get("/session").json()["person"]["name"] == "reporter-2"
    right = sign_in(clients[0], "reporter", office.passwords["reporter"])
    assert right.status_code == 429
    assert office.city.office.people.named("reporter").locked_until > time.time()
    unlocked = office.city.office.people.named("reporter").id
    office.city.office.people.unlock(unlocked)
    assert sign_in(clients[0], "reporter", office.passwords["reporter"]).status_code == 201


def test_a_name_nobody_has_is_locked_like_any_other(stranger: httpx.Client) -> None:
    answers = [sign_in(stranger, "not-a-person", "word") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert "not-a-person" not in answers[-1].text


def test_wrong_passwords_before_the_right_one_are_forgotten(
    office: Office, stranger: httpx.Client
) -> None:
    for _ in range(3):
        for _ in range(4):
            assert sign_in(stranger, "data-manager", "wrong").status_code == 401
        right = sign_in(stranger, "data-manager", office.passwords["data-manager"])
        assert right.status_code == 201


def test_a_link_signs_in_once(office: Office, stranger: httpx.Client) -> None:
    account = office.city.office.people.named("supervisor")
    token = office.city.office.sessions.link(account.id)
    answer = stranger.post("/session/link", json={"token": token})
    assert answer.status_code == 201
    assert answer.json()["person"]["name"] == "Supervisor"
    other = office.stranger()
    assert other.post("/session/link", json={"token": token}).status_code == 401
    assert COOKIE not in other.cookies
    retired = office.city.office.people.named("retired")
    unused = office.city.office.sessions.link(retired.id)
    assert stranger.post("/session/link", json={"token": unused}).status_code == 401


def test_sessions_end_with_idleness_and_with_their_time(office: Office) -> None:
    known = office.known("Supervisor")
    sessions = office.city.office.sessions
    token = known.cookies[COOKIE]
    kept = sessions.get(token)
    assert kept.expires - kept.created == 12 * 3600
    assert sessions.get(token, idle=3600) is not None
    assert sessions.get(token, idle=0) is None


def test_a_new_password_ends_every_other_session(office: Office) -> None:
    here, there = office.known("data-manager"), office.known("data-manager")
    old = office.passwords["data-manager"]
    short = here.put("/session/password", json={"old": old, "new": "too short"})
    assert short.status_code == 422
    assert "at least 10 characters" in short.json()["detail"]
    named = here.put("/session/password", json={"old": old, "new": "DATA-manager"})
    assert named.status_code == 422
    wrong = here.put(
        "/session/password", json={"old": "not it", "new": "five words make a password"}
    )
    assert wrong.status_code == 401
    new = "five words make a password"
    assert here.put("/session/password", json={"old": old, "new": new}).status_code == 204
    assert here.get("/session").json()["person"] is not None
    assert there.get("/session").json()["person"] is None
    assert sign_in(there, "data-manager", old).status_code == 401
    assert sign_in(there, "data-manager", new).status_code == 201
    office.passwords["data-manager"] = new


def test_a_second_factor_is_asked_for_once_it_is_confirmed_and_a_code_is_good_once(
    office: Office, stranger: httpx.Client
) -> None:
    password = office.passwords["administrator"]
    known = office.known("administrator")
    before = known.get("/session").json()
    assert before["second_factor"] == "wanted"
    assert "administer" not in before["may"]
    begun = known.post("/session/totp").json()
    assert ElementTree.fromstring(begun["svg"]).tag == "{http://www.w3.org/2000/svg}svg"
    app = pyotp.parse_uri(begun["uri"])
    assert (app.name, app.issuer, app.secret) == ("administrator", "黄埔", begun["secret"])
    assert sign_in(stranger, "administrator", password).status_code == 201  # not active yet
    wrong = f"{(int(app.now()) + 500_000) % 1_000_000:06}"
    assert known.put("/session/totp", json={"code": wrong}).status_code == 401
    first = app.now()
    assert known.put("/session/totp", json={"code": first}).status_code == 204
    now = known.get("/session").json()
    assert now["second_factor"] == "on"
    assert "administer" in now["may"]
    stranger.delete("/session")
    asked = sign_in(stranger, "administrator", password)
    assert (asked.status_code, asked.json()["code"]) == (401, "second-factor")
    assert "code" not in sign_in(stranger, "administrator", "wrong").json()
    used = sign_in(stranger, "administrator", password, code=first)
    assert (used.status_code, used.json()["code"]) == (401, "second-factor")
    following = app.at(time.time() + 30)  # a phone's clock may be ahead
    spaced = f"{following[:3]} {following[3:]}"
    assert sign_in(stranger, "administrator", password, code=spaced).status_code == 201
    replayed = sign_in(office.stranger(), "administrator", password, code=following)
    assert replayed.status_code == 401
    office.city.office.people.unlock(office.city.office.people.named("administrator").id)


def test_what_only_a_session_may_do_no_key_may(office: Office) -> None:
    known = office.known("data-manager")
    made = known.post("/keys", json={"title": "imports", "scopes": ["read", "manage"], "days": 1})
    program = office.stranger()
    program.headers["authorization"] = f"Bearer {made.json()['key']}"
    session = program.get("/session").json()
    assert (session["via"], session["expires"]) == ("key", made.json()["expires"])
    for method, path, body in (
        ("PUT", "/session/password", {"old": "x", "new": "five words make a password"}),
        ("POST", "/session/totp", None),
        ("POST", "/keys", {"title": "another", "scopes": ["read"], "days": 1}),
    ):
        refused = program.request(method, path, json=body)
        assert refused.status_code == 403, path


def test_protected_tiles_are_opened_for_an_hour_at_most(
    office: Office, stranger: httpx.Client
) -> None:
    assert stranger.post("/session/capability").status_code == 401
    known = office.known("data-manager")
    given = known.post("/session/capability")
    assert given.status_code == 201
    assert given.headers["cache-control"] == "no-store"
    token = given.json()["prefix"].removeprefix("/c/")
    assert 3500 < office.city.office.capabilities.get(token).expires - time.time() <= 3600
    known.delete("/session")
    assert office.city.office.capabilities.get(token) is None


def test_signing_in_is_in_the_log_without_anything_secret(office: Office) -> None:
    client = office.stranger()
    sign_in(client, "my-secret-word-in-the-wrong-field", "x")
    sign_in(client, "supervisor", "a wrong password")
    sign_in(client, "supervisor", office.passwords["Supervisor"])
    client.delete("/session")
    log = office.log("sign-in")
    newest = next(entry for entry in log if entry["result"] == "ok")
    assert newest["person"]["name"] == "Supervisor"
    assert newest["detail"]["how"] == "password"
    assert any(
        entry["result"] == "denied" and entry["person"] and entry["person"]["name"] == "Supervisor"
        for entry in log
    )
    assert office.log("sign-out")[0]["result"] == "ok"
    told = json.dumps(log, ensure_ascii=False)
    for secret in ("my-secret-word", "a wrong password", *office.passwords.values()):
        assert secret not in told
