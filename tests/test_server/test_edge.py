"""What stands around a real server: headers, other sites, sizes, rates, slow clients."""

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest
from limits import RateLimitItemPerMinute
from limits.strategies import MovingWindowRateLimiter

from cim_core.city import City
from cim_core.errors import TooMany
from server.access.policy import public_policy
from server.edge import rates
from server.edge.rates import Rates, Windows
from server.settings import Settings
from tests.support.people import Office, open_office

KIB = 1024
PATIENCE = 1.0
QUOTA = 3 * KIB * KIB


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A city with a policy, behind a proxy that stands on this machine."""
    folder = tmp_path_factory.mktemp("edge")
    city = City.open_or_create(folder / "city")
    city.office.policies.put(public_policy().document(), 0, "test")
    running = open_office(
        folder, city, {"data-manager": ("data-manager",)},
        CIM_PROXIES="127.0.0.1", CIM_HOSTS="cim.example, CIM.city.example",
        CIM_ORIGINS="https://portal.example", CIM_FRAME_ANCESTORS="https://*.portal.example",
        CIM_PATIENCE_SECONDS=str(PATIENCE), CIM_MAX_BODY_BYTES=str(64 * KIB),
        CIM_RATE_ADDRESS="40", CIM_RATE_PERSON="20", CIM_RATE_FILES="30", CIM_RATE_SIGN_IN="5",
        CIM_UPLOAD_BYTES_PER_DAY=str(QUOTA),
    )  # fmt: skip
    yield running
    running.stop()


@pytest.fixture
def web(office: Office) -> httpx.Client:
    return office.stranger()


def far(number: int) -> dict[str, str]:
    """A request from an address elsewhere that asks for nothing else in these tests."""
    return {"x-forwarded-for": f"198.51.100.{number}"}


def policy_of(answer: httpx.Response) -> dict[str, str]:
    parts = (part.partition(" ") for part in answer.headers["content-security-policy"].split("; "))
    return {name: value for name, _, value in parts}


def test_every_answer_tells_browsers_what_it_is_not_for(web: httpx.Client) -> None:
    html = {"accept": "text/html"}
    answers = [
        web.get("/", headers=html), web.get("/city"), web.get("/nowhere"), web.get("/people"),
        web.get("/t/none/1/tileset.json"), web.get("/city", headers={"host": "evil.example"}),
        web.post("/cells/outlines", content=b"x" * 70 * KIB),
    ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [200, 200, 404, 401, 404, 403, 413]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "camera=()" in answer.headers["permissions-policy"]
        assert "server" not in answer.headers
        assert policy_of(answer)["frame-ancestors"] == "'self' https://*.portal.example"
        assert policy_of(answer)["default-src"] == "'none'"
        assert len(answer.headers.get_list("content-security-policy")) == 1
        assert "x-frame-options" not in answer.headers  # it could not name the portal
    page, *others = answers
    assert "unsafe" not in policy_of(page)["script-src"].replace("'wasm-unsafe-eval'", "")
    assert all("script-src" not in policy_of(answer) for answer in others)


def test_only_a_name_behind_tls_asks_for_tls_for_ever(web: httpx.Client) -> None:
    tls = {"x-forwarded-proto": "https"}
    named = web.get("/healthz", headers={**tls, "host": "cim.example"})
    assert named.headers["strict-transport-security"] == "max-age=31536000"
    for headers in ({**tls}, {"host": "cim.example"}):
        answer = web.get("/healthz", headers=headers)
        assert "strict-transport-security" not in answer.headers


def test_it_answers_under_its_own_names_only(web: httpx.Client) -> None:
    for host in ("localhost:1", "127.0.0.1", "[::1]:8000", "CIM.example:443", "cim.city.example."):
        assert web.get("/healthz", headers={"host": host}).status_code == 200, host
    for host in (
        "evil.example",
        "cim.example.evil.example",
        "169.254.1.1",
        "[",
        "127.0.0.1.nip.io",
    ):
        answer = web.get("/healthz", headers={"host": host})
        assert (answer.status_code, "CIM_HOSTS" in answer.text) == (403, True), host


def test_no_page_of_another_site_changes_anything(web: httpx.Client) -> None:
    own = f"http://{web.base_url.netloc.decode()}"
    refused = [
        {"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"}, {"origin": "http://127.0.0.1:1"},
        {"origin": "https://portal.example"}, {"host": "cim.example", "origin": own},
        # Whoever reads along on the way could have written a page without TLS.
        {"host": "cim.example", "origin": "http://cim.example", "x-forwarded-proto": "https"},
    ]  # fmt: skip
    for headers in refused:
        answer = web.post("/session", json={}, headers=headers)
        assert answer.status_code == 403, headers
        assert answer.json()["detail_zh"] == "其他网站的页面不能在此作任何更改；请使用查看器"
    tls = {"host": "cim.example", "x-forwarded-proto": "https"}
    for headers in ({"origin": own}, {"sec-fetch-site": "same-origin"}, {}):
        assert web.delete("/session", headers=headers).status_code == 204, headers
    for origin in ("https://cim.example", "https://CIM.example:443"):
        assert web.delete("/session", headers={**tls, "origin": origin}).status_code == 204
    # With a key it is no browser that brings along who is signed in; this one is not good.
    answer = web.delete(
        "/session", headers={"origin": "http://a.example", "authorization": "Bearer x"}
    )
    assert answer.status_code == 401


def test_pages_of_named_sites_read_without_who_is_signed_in(web: httpx.Client) -> None:
    portal = {"origin": "https://portal.example"}
    asked = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
    }
    before = web.options("/processes", headers={**portal, **asked})
    assert before.status_code == 200
    read = web.get("/city", headers={**portal, "cookie": "a=b"})
    for answer in (before, read):
        assert answer.headers["access-control-allow-origin"] == "https://portal.example"
        assert "access-control-allow-credentials" not in answer.headers
    assert read.headers["cross-origin-resource-policy"] == "cross-origin"
    other = {"origin": "https://evil.example"}
    assert web.options("/processes", headers={**other, **asked}).status_code == 400
    assert "access-control-allow-origin" not in web.get("/city", headers=other).headers


def test_a_large_body_is_refused_whether_it_says_so_or_not(web: httpx.Client) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(80):
            yield b" " * KIB

    url = "/processes/what-is-here/execution"
    said = web.post(url, content=b" " * 65 * KIB)
    unsaid = web.post(url, content=pieces(), headers={"content-type": "application/json"})
    for answer in (said, unsaid):
        assert answer.status_code == 413
        assert "(0.0625 MiB)" in answer.json()["detail"]
        assert answer.json()["detail_zh"].startswith("请求超过本服务器的上限")
    just = web.post(url, content=json.dumps({"inputs": {}}).ljust(64 * KIB))
    assert just.status_code != 413


def test_asking_too_often_is_told_when_to_go_on(web: httpx.Client) -> None:
    # 20 questions and 30 files of a person; an address has 40 of all.
    answers = [web.get("/city", headers=far(1)) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    last = answers[-1]
    assert 1 <= int(last.headers["retry-after"]) <= 60
    assert f"go on in {last.headers['retry-after']} s" in last.json()["detail"]
    assert last.json()["detail_zh"].startswith("请求过于频繁：一分钟内超过 20 次")
    files = [web.get("/viewer/none", headers=far(1)).status_code for _ in range(20)]
    assert files == [404] * 19 + [429]  # what the address has left
    assert web.get("/city", headers=far(2)).status_code == 200
    # Of IPv6 one customer has 64 bits.
    six = [{"x-forwarded-for": f"2001:db8::{number}"} for number in range(1, 22)]
    assert [web.get("/city", headers=headers).status_code for headers in six][-1] == 429
    other = {"x-forwarded-for": "2001:db8:0:1::1"}
    assert web.get("/city", headers=other).status_code == 200


def test_a_storm_of_sign_ins_stops_at_the_door(web: httpx.Client) -> None:
    tries = [
        web.post("/session", json={"name": f"n{number}", "password": "x"}, headers=far(3))
        for number in range(6)
    ]
    assert [answer.status_code for answer in tries] == [401] * 5 + [429]


def test_an_address_that_is_none_is_nobody_on_this_machine(web: httpx.Client) -> None:
    for said in ("127.0.0.1", "unknown", "127.0.0.1, 198.51.100.4"):
        assert web.get("/session", headers={"x-forwarded-for": said}).json()["via"] == "stranger"


def test_a_day_has_so_much_for_uploads(office: Office) -> None:
    manager = office.known("data-manager")

    def upload(mebibytes: float, **headers: str) -> httpx.Response:
        def pieces() -> Iterator[bytes]:
            yield b"x" * int(mebibytes * KIB * KIB)

        return manager.post("/imports", params={"filename": "a.xyz1"}, content=pieces(), **headers)

    # What is refused for what it is has not arrived, so it counts for nothing.
    assert upload(1).status_code == 415
    kept = {"filename": "a.ifc"}
    first = manager.post("/imports", params=kept, content=b"x" * (QUOTA - KIB))
    assert first.status_code == 202
    announced = manager.post("/imports", params=kept, content=b"x" * 2 * KIB)

    def piece() -> Iterator[bytes]:
        yield b"x" * 2 * KIB

    unannounced = manager.post("/imports", params=kept, content=piece())
    for answer in (announced, unannounced):
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= 86_400
        assert "3 MiB in a day" in answer.json()["detail"]
        assert "每人每天最多上传 3 MiB" in answer.json()["detail_zh"]


# --- slow clients


def connect(office: Office, address: str = "127.0.0.1") -> socket.socket:
    """A connection from one of this machine's many addresses."""
    connection = socket.create_connection(
        ("127.0.0.1", int(office.server.url.rpartition(":")[2])), 10, (address, 0)
    )
    connection.settimeout(10)
    return connection


def all_of(connection: socket.socket) -> bytes:
    """What comes until the other side hangs up."""
    parts = []
    try:
        while part := connection.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def test_who_does_not_go_on_is_hung_up_on_and_nobody_waits_for_them(
    office: Office, web: httpx.Client
) -> None:
    head = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n"
    post = (
        b"POST /cells/outlines HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        b"content-length: 1000\r\n\r\n{"
    )
    silent = [connect(office, "127.0.0.2") for _ in range(20)]
    halves = [connect(office, "127.0.0.3") for _ in range(20)]
    bodies = [connect(office, "127.0.0.4") for _ in range(20)]
    for connection in halves:
        connection.sendall(head)
    for connection in bodies:
        connection.sendall(post)
    assert web.get("/healthz").status_code == 200
    for connection in silent + halves:
        assert all_of(connection) == b""
    for connection in bodies:
        answer = all_of(connection)
        assert answer.startswith(b"HTTP/1.1 408")
        assert "请求未在规定时间内到达".encode() in answer
    for connection in silent + halves + bodies:
        connection.close()


def test_drops_of_a_head_or_of_a_body_do_not_keep_a_connection(office: Office) -> None:
    with closing(connect(office)) as head, closing(connect(office)) as done:
        head.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n")
        # Refused for its size at once; the rest of the body would go on for ever.
        done.sendall(b"POST /session HTTP/1.1\r\nhost: localhost\r\ncontent-length: 999999\r\n\r\n")
        assert done.recv(65_536).startswith(b"HTTP/1.1 413")
        begun = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() < begun + 10 * PATIENCE:
                head.sendall(b"x: y\r\n")
                time.sleep(0.1)
        with pytest.raises(OSError):
            while time.monotonic() < begun + 10 * PATIENCE:
                done.sendall(b"x")
                time.sleep(0.1)


def test_a_slow_body_that_does_arrive_is_taken(web: httpx.Client) -> None:
    def pieces() -> Iterator[bytes]:
        for part in (b"{", b'"inputs":', b"{}", b" " * KIB, b"}"):
            time.sleep(PATIENCE / 6)
            yield part

    answer = web.post("/processes/what-is-here/execution", content=pieces())
    assert answer.status_code not in (408, 413)


def test_who_does_not_take_an_answer_is_hung_up_on(office: Office) -> None:
    with closing(connect(office)) as reader:
        reader.sendall(b"GET /viewer/cesium/index.js HTTP/1.1\r\nhost: localhost\r\n\r\n")
        time.sleep(3 * PATIENCE)
        taken = all_of(reader)
    length = int(re.search(rb"content-length: (\d+)", taken)[1])
    assert len(taken) < length


def test_a_head_without_end_is_refused(office: Office) -> None:
    for endless in (b"x: " + b"y" * 200_000, b"".join(b"x%d: y\r\n" % n for n in range(20_000))):
        with closing(connect(office)) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n" + endless)
            assert all_of(connection)[:12] in (b"HTTP/1.1 431", b"")


# --- the memory of rates


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    running = Clock()
    monkeypatch.setattr(rates, "time", running)
    return running


def test_a_window_moves_with_the_time(clock: Clock) -> None:
    limiter, limit = MovingWindowRateLimiter(Windows()), RateLimitItemPerMinute(10)
    let_in: dict[str, list[float]] = {"a": [], "b": []}
    for step in range(4000):
        clock.now += (step * 7919 % 13) / 10
        who = "ab"[step * 31 % 7 < 2]
        recent = [at for at in let_in[who] if at > clock.now - 60]
        assert limiter.hit(limit, who) == (len(recent) < 10)
        if len(recent) < 10:
            let_in[who].append(clock.now)
        oldest = min((at for at in let_in[who] if at > clock.now - 60), default=clock.now)
        assert limiter.get_window_stats(limit, who).reset_time == oldest + 60


def test_many_addresses_are_forgotten_in_time_and_in_number(clock: Clock) -> None:
    windows = Windows(most=1000)
    limiter, limit = MovingWindowRateLimiter(windows), RateLimitItemPerMinute(5)
    for number in range(5000):
        assert limiter.hit(limit, str(number))
    assert len(windows) == 1000
    assert [limiter.hit(limit, "4999") for _ in range(5)] == [True] * 4 + [False]
    clock.now += 61
    assert limiter.hit(limit, "new")
    assert len(windows) == 1


def test_whoever_is_on_this_machine_is_no_address_to_count() -> None:
    counted = Rates(Settings(rate_address=1, rate_sign_in=1))
    here = {"client": ("127.0.0.1", 1), "headers": [], "method": "POST", "path": "/session"}
    for _ in range(3):
        counted.address(here)
    counted.sign_in(here)
    with pytest.raises(TooMany):
        counted.sign_in(here)
