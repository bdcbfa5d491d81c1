"""People who sign in to a server, for tests."""

from dataclasses import dataclass, field
from pathlib import Path

import httpx

from cim_core.city import City
from cim_core.store.office_audit import AuditQuery
from server.access.passwords import hashed, random_password
from tests.support.serving import Server

MEMORY_KIB = 12_288
CHEAP = {"CIM_PASSWORD_MEMORY_KIB": str(MEMORY_KIB)}
"""The least memory for a hash of a password that a server can be set to."""


@dataclass
class Office:
    """A served city, its people's passwords, and who talks to it."""

    server: Server
    city: City
    passwords: dict[str, str]
    clients: list[httpx.Client] = field(default_factory=list)

    def stranger(self) -> httpx.Client:
        """Somebody nobody knows yet."""
        self.clients.append(httpx.Client(base_url=self.server.url, timeout=30))
        return self.clients[-1]

    def known(self, name: str) -> httpx.Client:
        """Somebody who has signed in."""
        client = self.stranger()
        answer = sign_in(client, name, self.passwords[name])
        assert answer.status_code == 201, answer.text
        return client

    def id_of(self, name: str) -> str:
        """The id of an account."""
        account = self.city.office.people.named(name)
        assert account is not None
        return account.id

    def log(self, verb: str) -> list[dict]:
        """What the log has of a verb, newest first."""
        entries, _, _ = self.city.office.audit.find(AuditQuery(verb=verb), 1000)
        return [entry.as_dict() for entry in entries]

    def stop(self) -> None:
        """End the server; its log must be clean, and no password may stand anywhere."""
        for client in self.clients:
            client.close()
        self.server.stop()
        assert self.server.odd_lines() == []
        kept = b"".join(path.read_bytes() for path in self.city.folder.glob("office.db*"))
        kept += self.server.log.read_bytes()
        assert not [name for name, word in self.passwords.items() if word.encode() in kept]


def open_office(
    folder: Path, city: City, people: dict[str, tuple[str, ...]], **set_: str
) -> Office:
    """Serve a city with people, by their names and roles."""
    passwords = {name: begin_account(city, name, *roles) for name, roles in people.items()}
    server = Server(city.folder, folder / "server.log", **{**CHEAP, **set_})
    return Office(server, city, passwords)


def begin_account(city: City, name: str, *roles: str, **more: object) -> str:
    """Begin an account; its password."""
    password = random_password()
    kept = hashed(password, MEMORY_KIB)
    city.office.people.add(name, roles=roles, password_hash=kept, **more)
    return password


def sign_in(client: httpx.Client, name: str, password: str, **more: str) -> httpx.Response:
    """Try to sign in."""
    return client.post("/session", json={"name": name, "password": password, **more})
