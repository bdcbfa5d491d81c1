"""Where a real server listens, whom it lets in there, and what its log keeps to itself."""

import datetime
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cim_core.city import City
from cim_core.errors import CimError, Conflict, Forbidden, InvalidInput
from cim_core.store.office_audit import AuditQuery
from server.access.policy import public_policy
from server.edge.addresses import is_loopback
from server.edge.guard import Guard
from server.listening import address_of, certificate, listen
from server.settings import load_settings
from server.zh import in_chinese
from tests.support.people import Office, open_office, sign_in
from tests.support.serving import ROOT


def closed(listeners: list[socket.socket]) -> list[tuple[str, int]]:
    """Where they listened."""
    found = [listener.getsockname()[:2] for listener in listeners]
    for listener in listeners:
        listener.close()
    return found


def test_beyond_this_machine_it_takes_a_policy() -> None:
    for host in ("0.0.0.0", "::", "127.0.0.1,0.0.0.0"):
        settings = load_settings(host=host, port=0)
        with pytest.raises(Forbidden, match=r"`cim policy default`.* `cim user add`"):
            listen(settings, lambda: False)
    settings = load_settings(host="0.0.0.0", port=0)
    (place,) = closed(listen(settings, lambda: True))
    assert place[0] == "0.0.0.0"
    for host in ("127.0.0.1", "127.0.0.9"):
        closed(listen(load_settings(host=host, port=0), lambda: False))


def test_several_places_share_a_port() -> None:
    settings = load_settings(host="127.0.0.1,127.0.0.2", port=0)
    (one, port), (two, same) = closed(listen(settings, lambda: False))
    assert (one, two, same) == ("127.0.0.1", "127.0.0.2", port)


def test_what_cannot_be_listened_at_is_said() -> None:
    def error_of(kind: type[CimError], **settings: object) -> str:
        with pytest.raises(kind) as caught:
            listen(load_settings(**settings), lambda: True)
        return caught.value.sentence

    assert "no address of this machine" in error_of(InvalidInput, host="no-such-name.invalid")
    assert "192.0.2.1 cannot be used" in error_of(Conflict, host="192.0.2.1", port=0)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port} of 127.0.0.1" in error_of(
            Conflict, host="127.0.0.2,127.0.0.1", port=port
        )
        with socket.create_server(("127.0.0.2", port)):
            pass  # given back


def test_the_address_told_is_one_that_a_browser_here_opens() -> None:
    for host, more, told in (
        ("0.0.0.0", {}, "http://127.0.0.1:"),
        ("127.0.0.2", {"hosts": "cim.example"}, "http://127.0.0.2:"),
        ("0.0.0.0", {"hosts": "cim.example", "tls_cert": Path("c")}, "https://cim.example:"),
    ):
        settings = load_settings(host=host, port=0, **more)
        (listener,) = listen(settings, lambda: True)
        with listener:
            assert address_of(settings, listener).startswith(told)


def certified(folder: Path) -> tuple[Path, Path]:
    """A certificate for cim.example and this machine, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cim.example")])
    names = [x509.DNSName("cim.example"), x509.IPAddress(ip_address("127.0.0.1"))]
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert, private = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )  # fmt: skip
    return cert, private


def test_a_certificate_that_is_none_is_refused_in_a_sentence(tmp_path: Path) -> None:
    cert, key = certified(tmp_path)
    (tmp_path / "other").mkdir()
    _, other = certified(tmp_path / "other")
    assert certificate(load_settings()) is None
    assert certificate(load_settings(tls_cert=cert, tls_key=key)) is not None
    for wrong in (
        {"tls_cert": cert, "tls_key": other}, {"tls_cert": cert}, {"tls_key": key},
        {"tls_cert": tmp_path / "none.pem", "tls_key": key}, {"tls_cert": key, "tls_key": key},
    ):  # fmt: skip
        with pytest.raises(InvalidInput, match=r"tls-cert|PEM"):
            certificate(load_settings(**wrong))


@contextmanager
def serving(city: Path, log: Path, *options: str, **settings: str) -> Iterator[str]:
    """`cim serve` with options; the address it tells."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "server", "serve", "--city", str(city), "--port", "0", *options],
            cwd=ROOT, stdout=out, stderr=out, env={**os.environ, "COLUMNS": "200", **settings},
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not (found := re.search(r"https?://\S+", log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield found[0]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


@pytest.fixture
def open_city(tmp_path: Path) -> City:
    """A city whose strangers read what is public."""
    city = City.open_or_create(tmp_path / "city")
    city.office.policies.put(public_policy().document(), 0, "test")
    return city


def test_it_speaks_tls_to_a_network(open_city: City, tmp_path: Path) -> None:
    cert, key = certified(tmp_path)
    log = tmp_path / "log"
    options = ("--host", "0.0.0.0", "--tls-cert", str(cert), "--tls-key", str(key))
    with serving(open_city.folder, log, *options, CIM_HOSTS="cim.example") as address:
        port = int(address.rpartition(":")[2])
        assert address == f"https://cim.example:{port}"
        trusts = ssl.create_default_context(cafile=str(cert))
        with httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=trusts) as web:
            for _ in range(100):
                try:
                    web.get("/healthz")
                    break
                except httpx.ConnectError:
                    time.sleep(0.05)
            named = web.get("/healthz", headers={"host": f"cim.example:{port}"})
            assert named.status_code == 200
            assert "strict-transport-security" in named.headers
            assert "strict-transport-security" not in web.get("/healthz").headers
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.load_verify_locations(cert)
        assert old.minimum_version >= ssl.TLSVersion.TLSv1_2
        with (
            pytest.raises(httpx.TransportError),
            httpx.Client(verify=trusts, timeout=5) as plain,
        ):
            plain.get(f"http://127.0.0.1:{port}/healthz")
    assert "passwords" not in log.read_text()


def test_a_city_without_a_policy_trusts_its_own_machine_and_no_proxy() -> None:
    def asked(**headers: str) -> dict[str, Any]:
        named = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
        return {"type": "http", "client": ("127.0.0.1", 1), "headers": named}

    guard = Guard(frozenset(), lambda: False)
    guard.proxy(asked(host="localhost", x_other="1"))
    assert is_loopback(asked(host="localhost"))
    for name in ("x_forwarded_for", "forwarded", "x_real_ip", "via", "x_forwarded_proto"):
        handed_on = asked(**{name: "127.0.0.1"})
        assert not is_loopback(handed_on)
        with pytest.raises(Forbidden, match="`cim policy default`") as caught:
            guard.proxy(handed_on)
        assert "代理" in (in_chinese(caught.value.sentence) or "")
        Guard(frozenset(), lambda: True).proxy(handed_on)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A city with an administrator and a viewer."""
    folder = tmp_path_factory.mktemp("secrets")
    city = City.open_or_create(folder / "city")
    city.office.policies.put(public_policy().document(), 0, "test")
    people = {"administrator": ("security-administrator",), "viewer": ("viewer",)}
    running = open_office(folder, city, people, CIM_CONNECTIONS_PER_ADDRESS="30")
    yield running
    if running.server.process.poll() is None:
        running.stop()


def test_an_address_has_so_many_connections_whatever_others_have(office: Office) -> None:
    port, kept, answers = int(office.server.url.rpartition(":")[2]), [], []
    for address in ["127.0.0.7"] * 40 + ["127.0.0.8"]:
        connection = socket.create_connection(("127.0.0.1", port), 10, (address, 0))
        connection.settimeout(10)
        kept.append(connection)
        with suppress(OSError):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
    for connection in kept:
        try:
            answers.append(connection.recv(12))
        except OSError:
            answers.append(b"")
    for connection in kept:
        connection.close()
    assert answers == [b"HTTP/1.1 200"] * 30 + [b""] * 10 + [b"HTTP/1.1 200"]


def test_no_secret_stands_in_the_log_or_in_the_rows_of_the_audit(office: Office) -> None:
    secrets = list(office.passwords.values())
    viewer = office.known("viewer")
    secrets += viewer.cookies.values()
    made = viewer.post("/keys", json={"title": "a program", "scopes": ["read"], "days": 1})
    assert made.status_code == 201, made.text
    secrets.append(made.json()["key"])
    prefix = viewer.post("/session/capability").json()["prefix"]
    secrets.append(prefix.rpartition("/")[2])
    administrator = office.known("administrator")
    secrets += administrator.cookies.values()
    given = administrator.post(f"/people/{office.id_of('viewer')}/password").json()["password"]
    link = administrator.post(f"/people/{office.id_of('viewer')}/link").json()["href"]
    secrets += [given, link.rpartition("=")[2]]
    totp = administrator.post("/session/totp").json()["secret"]
    secrets.append(totp)

    stranger = office.stranger()
    wrong = "a-wrong-password-0815"
    secrets.append(wrong)
    sign_in(stranger, "viewer", wrong)
    for secret in secrets:
        bearer = {"authorization": f"Bearer {secret}"}
        stranger.get("/people", headers=bearer)
        stranger.get("/people", headers={"cookie": f"cim_session={secret}"})
        for url in (
            f"/c/{secret}/t/none/1/tileset.json", f"/c/{secret}", f"/collections?token={secret}",
            f"/session/oidc/callback?code={secret}&state={secret}", f"/jobs?key={secret}",
        ):  # fmt: skip
            stranger.get(url)
        stranger.post("/session/link", json={"token": secret})
        stranger.delete(f"/keys/none?secret={secret}", headers=bearer)
        stranger.post("/session", content=f'{{"name": "x", "password": "{secret}"')
    with socket.create_connection(("127.0.0.1", int(office.server.url.rpartition(":")[2]))) as raw:
        raw.sendall(f"GARBAGE {secrets[0]}\r\n\r\n".encode())
        raw.recv(1000)
    # What came too often for a row of its own is written when the server stops, or once a minute.
    office.stop()
    log = office.server.log.read_text()
    entries, _, _ = office.city.office.audit.find(AuditQuery(), 1000)
    rows = "".join(str(entry.as_dict()) for entry in entries)
    kept = b"".join(path.read_bytes() for path in office.city.folder.glob("office.db*"))
    assert "denied" in rows
    assert len(secrets) >= 10
    for secret in secrets:
        assert len(secret) >= 8
        assert secret not in log
        assert secret not in rows
        assert secret == totp or secret.encode() not in kept
