"""Signing in with a real OpenID provider, doing on the way what a browser does."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from cim_core.city import City
from server.access.policy import public_policy
from tests.support.oidc import DISCOVERY, KEYS, TOKEN, USERINFO, Provider, provider, text_of
from tests.support.people import CHEAP, Office, begin_account, sign_in
from tests.support.serving import Server

# The provider uses what its own library likes no longer.
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")

CALLBACK = "/session/oidc/callback"
SESSION = "cim_session"
UNUSABLE = "the identity service cannot be used"


@pytest.fixture(scope="module")
def service() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture(scope="module")
def office(service: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A city whose people are known at the service, all but two of them."""
    folder = tmp_path_factory.mktemp("oidc")
    city = City.open_or_create(folder / "city")
    policy = public_policy().document()
    policy["limits"]["second_factor"] = ["security-administrator"]
    city.office.policies.put(policy, 0, "test")
    for name in ("town-a-reporter", "town-b-reporter", "retired"):
        city.office.people.add(name, roles=["reporter"], sso=True)
    city.office.people.add("administrator", roles=["security-administrator"], sso=True)
    running = Office(
        Server(
            city.folder, folder / "server.log", **CHEAP, CIM_OIDC_ISSUER=service.url,
            CIM_OIDC_CLIENT_SECRET="a secret of the client", CIM_OIDC_TITLE="统一身份认证",
        ),
        city, {"local": begin_account(city, "local", "viewer")},
    )  # fmt: skip
    city.office.people.change(running.id_of("retired"), active=False)
    yield running
    odd = running.server.odd_lines()
    assert [line for line in odd if UNUSABLE not in line] == []
    assert "a secret of the client" not in running.server.log.read_text()
    running.server.log.write_text("")
    running.stop()


def come_in(office: Office, service: Provider, subject: str) -> tuple[httpx.Client, httpx.Response]:
    """Sign in there and come back; the browser, and what it is answered."""
    browser = office.stranger()
    away = browser.get("/session/oidc")
    assert away.status_code == 302, away.text
    return browser, browser.get(service.come_back(away.headers["location"], subject))


def test_a_service_that_does_not_answer_properly_is_said_to_be_the_reason(
    office: Office, service: Provider
) -> None:
    browser = office.stranger()
    for spoilt in (b"<html>", b"[]", b"{}", b'{"issuer": "http://localhost:1/another"}'):
        service.spoilt[DISCOVERY] = lambda _, spoilt=spoilt: spoilt
        answer = browser.get("/session/oidc")
        assert answer.status_code == 503
        assert service.url in answer.json()["detail"]
        assert answer.json()["detail_zh"]
    service.spoilt.clear()
    session = browser.get("/session").json()
    assert session["oidc"] == {"title": "统一身份认证", "href": "/session/oidc"}


def test_whoever_is_known_there_comes_in_under_their_name_and_later_by_who_they_are(
    office: Office, service: Provider
) -> None:
    service.know("subject-1", preferred_username="Town-A-Reporter")
    browser, answer = come_in(office, service, "subject-1")
    assert (answer.status_code, answer.headers["location"]) == (302, "/")
    session = browser.get("/session").json()
    assert (session["person"]["name"], session["via"]) == ("town-a-reporter", "session")
    service.know("subject-1", preferred_username="married-meanwhile")
    again, answer = come_in(office, service, "subject-1")
    assert again.get("/session").json()["person"]["name"] == "town-a-reporter"
    # The name is taken now: nobody else gets in by it.
    service.know("subject-2", preferred_username="town-a-reporter")
    other, refused = come_in(office, service, "subject-2")
    assert refused.status_code == 401
    assert SESSION not in other.cookies


def test_the_service_is_asked_as_openid_connect_wants_it(office: Office, service: Provider) -> None:
    browser = office.stranger()
    away = browser.get("/session/oidc")
    service.know("subject-3", preferred_username="town-b-reporter")
    back = service.come_back(away.headers["location"], "subject-3")
    browser.get(back)
    asked = httpx.URL(away.headers["location"]).params
    answered = service.last(TOKEN)
    assert asked["redirect_uri"] == answered["redirect_uri"] == f"{office.server.url}{CALLBACK}"
    assert asked["code_challenge_method"] == "S256"
    digest = hashlib.sha256(answered["code_verifier"].encode()).digest()
    assert asked["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert len({asked["state"], asked["nonce"], answered["code_verifier"]}) == 3
    assert {"openid", "profile"} <= set(asked["scope"].split())


def test_the_cookie_for_the_way_comes_back_from_another_site_and_the_session_is_strict(
    office: Office, service: Provider
) -> None:
    browser = office.stranger()
    away = browser.get("/session/oidc")
    errand = {part.strip().lower() for part in away.headers["set-cookie"].split(";")[1:]}
    assert errand == {"httponly", "samesite=lax", "path=/", "max-age=600"}
    assert away.headers["cache-control"] == "no-store"
    answer = browser.get(service.come_back(away.headers["location"], "subject-3"))
    told = answer.headers.get_list("set-cookie")
    session = next(cookie for cookie in told if cookie.startswith(SESSION))
    assert {"samesite=strict", "httponly"} <= {p.strip().lower() for p in session.split(";")}
    assert "cim_errand" not in browser.cookies


@pytest.mark.parametrize("name", ["nobody-here", "local", "retired", ""])
def test_who_has_no_account_for_it_is_refused_in_one_sentence(
    office: Office, service: Provider, name: str
) -> None:
    service.know(f"subject-of-{name}", preferred_username=name)
    browser, answer = come_in(office, service, f"subject-of-{name}")
    assert answer.status_code == 401
    assert "no active account" in answer.json()["detail"]
    assert browser.get("/session").json()["person"] is None
    assert not [item for item in office.city.office.people.all() if item.name == "nobody-here"]


def test_people_read_why_on_a_page_in_both_languages(office: Office, service: Provider) -> None:
    browser = office.stranger()
    back = service.come_back(browser.get("/session/oidc").headers["location"], "subject-of-local")
    page = browser.get(back, headers={"accept": "text/html,*/*;q=0.8"})
    assert page.status_code == 401
    assert page.headers["content-type"].startswith("text/html")
    read = text_of(page.text)
    assert "this city has no active account for you" in read
    assert "在本城市没有启用的账号" in read


def test_an_answer_counts_once_and_only_for_who_asked(office: Office, service: Provider) -> None:
    browser, other = office.stranger(), office.stranger()
    back = service.come_back(browser.get("/session/oidc").headers["location"], "subject-1")
    other.get("/session/oidc")
    for client in (office.stranger(), other):  # without an errand; on an errand of its own
        answer = client.get(back)
        assert answer.status_code == 401
        assert "begun somewhere else" in answer.json()["detail"]
        assert SESSION not in client.cookies
    errand = dict(browser.cookies)
    assert browser.get(back).status_code == 302
    replayed = office.stranger()
    replayed.cookies.update(errand)
    again = replayed.get(back)
    assert again.status_code == 401
    assert "invalid_grant" in again.json()["detail"]
    denied = office.stranger()
    state = httpx.URL(denied.get("/session/oidc").headers["location"]).params["state"]
    answer = denied.get(CALLBACK, params={"error": "access_denied", "state": state})
    assert answer.status_code == 401


def test_who_signs_in_there_has_no_password_no_link_and_no_second_factor_here(
    office: Office, service: Provider
) -> None:
    browser, _ = come_in(office, service, "subject-1")
    assert browser.post("/session/totp").status_code == 409
    change = browser.put("/session/password", json={"old": "x", "new": "five words make it"})
    assert change.status_code == 409
    assert sign_in(office.stranger(), "town-a-reporter", "").status_code == 401
    service.know("subject-9", preferred_username="administrator")
    administrator, _ = come_in(office, service, "subject-9")
    session = administrator.get("/session").json()
    # The policy wants a second factor of this role, and the service looks after that.
    assert session["second_factor"] == "none"
    assert "administer" in session["may"]
    person = f"/people/{office.id_of('town-a-reporter')}"
    assert administrator.post(f"{person}/link").status_code == 409
    assert administrator.post(f"{person}/password").status_code == 409
    made = administrator.post("/people", json={"name": "new-reporter", "sso": True})
    assert made.status_code == 201
    assert "password" not in made.json()


FORGERIES: dict[str, Callable[[dict], dict]] = {
    "another issuer": lambda claims: {**claims, "iss": "https://elsewhere.example"},
    "another client": lambda claims: {**claims, "aud": "another-client"},
    "two clients, neither named": lambda claims: {**claims, "aud": ["cim-twin", "another"]},
    "over": lambda claims: {**claims, "exp": int(time.time()) - 3600},
    "another errand": lambda claims: {**claims, "nonce": "0"},
    "no errand": lambda claims: {k: v for k, v in claims.items() if k != "nonce"},
    "another access token": lambda claims: {**claims, "at_hash": "MTIzNDU2Nzg5MDEyMzQ1Ng"},
    "nobody": lambda claims: {k: v for k, v in claims.items() if k != "sub"},
}
KEY, STRANGERS_KEY = (RSAKey.generate_key(2048, {"kid": kid}) for kid in ("ours", "theirs"))


def resigned(change: Callable[[dict], dict], key: RSAKey, header: dict) -> Callable[[bytes], bytes]:
    """Puts another ID token into the answer to a code."""

    def spoil(body: bytes) -> bytes:
        told = json.loads(body)
        payload = told["id_token"].split(".")[1]
        claims = change(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))
        if header["alg"] == "RS256":
            told["id_token"] = jwt.encode(header, claims, key, ["RS256"])
        else:  # what no library signs any more
            text = b".".join(encoded(json.dumps(part).encode()) for part in (header, claims))
            public = key.as_pem(private=False)
            mac = hmac.digest(public, text, "sha256") if header["alg"] == "HS256" else b""
            told["id_token"] = (text + b"." + encoded(mac)).decode()
        return json.dumps(told).encode()

    return spoil


def encoded(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")


@pytest.fixture
def forger(service: Provider) -> Iterator[Provider]:
    """The service with a key of the test's own, so that it can say anything."""
    keys = json.dumps(KeySet([KEY]).as_dict(private=False)).encode()
    service.spoilt[KEYS] = lambda _: keys
    yield service
    service.spoilt.clear()


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_token_that_is_not_for_this_errand_of_this_server_is_refused(
    office: Office, forger: Provider, forgery: str
) -> None:
    header = {"alg": "RS256", "kid": "ours"}
    forger.spoilt[TOKEN] = resigned(FORGERIES[forgery], KEY, header)
    browser, answer = come_in(office, forger, "subject-1")
    assert answer.status_code == 401, answer.text
    assert "did not confirm" in answer.json()["detail"]
    assert SESSION not in browser.cookies


@pytest.mark.parametrize(
    ("algorithm", "key", "kid"),
    [
        ("none", KEY, "ours"),
        ("HS256", KEY, "ours"),  # with what everybody knows, the public key
        ("RS256", STRANGERS_KEY, "theirs"),
        ("RS256", STRANGERS_KEY, "ours"),
    ],
)
def test_a_token_without_a_good_signature_is_refused(
    office: Office, forger: Provider, algorithm: str, key: RSAKey, kid: str
) -> None:
    forger.spoilt[TOKEN] = resigned(lambda claims: claims, key, {"alg": algorithm, "kid": kid})
    browser, answer = come_in(office, forger, "subject-1")
    assert answer.status_code == 401, answer.text
    assert SESSION not in browser.cookies


def test_a_good_token_with_the_name_told_elsewhere_is_taken(
    office: Office, forger: Provider
) -> None:
    def nameless(claims: dict) -> dict:
        return {k: v for k, v in claims.items() if k != "preferred_username"}

    office.city.office.people.add("by-userinfo", roles=["viewer"], sso=True)
    forger.know("subject-7", preferred_username="by-userinfo")
    forger.spoilt[TOKEN] = resigned(nameless, KEY, {"alg": "RS256", "kid": "ours"})
    forger.spoilt[USERINFO] = lambda body: body.replace(b"subject-7", b"subject-8")
    _, refused = come_in(office, forger, "subject-7")
    assert refused.status_code == 401  # what is said of somebody else is not believed
    del forger.spoilt[USERINFO]
    browser, _ = come_in(office, forger, "subject-7")
    assert browser.get("/session").json()["person"]["name"] == "by-userinfo"


def test_signing_in_there_is_in_the_log_without_codes_and_tokens(
    office: Office, service: Provider
) -> None:
    browser, _ = come_in(office, service, "subject-1")
    entry = office.log("sign-in")[0]
    assert (entry["result"], entry["person"]["name"]) == ("ok", "town-a-reporter")
    assert entry["detail"]["how"] == "oidc"
    assert entry["what"] == f"GET {CALLBACK}"
    told = json.dumps(office.log("sign-in"))
    secrets = [service.last(TOKEN)[name] for name in ("code", "code_verifier")]
    assert not [secret for secret in (*secrets, browser.cookies[SESSION]) if secret in told]
