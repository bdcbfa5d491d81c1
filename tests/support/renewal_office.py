"""A served city with a campaign of renewal and its people, for tests."""

from pathlib import Path
from typing import Any

import httpx

from cim_core.city import City
from server.access.policy import public_policy
from tests.support.renewal import renewal_of, towns_of
from tests.support.serving import LAYER_AND_CITY_VERBS, Server

PEOPLE: dict[str, dict[str, Any]] = {
    "viewer": {"roles": ("viewer",)},
    "editor": {"roles": ("editor",)},
    "supervisor": {"roles": ("supervisor",)},
    "second supervisor": {"roles": ("supervisor",)},
    "data manager": {"roles": ("data-manager",)},
    "reporter here": {"roles": ("reporter",), "towns": ("here",)},
    "reporter there": {"roles": ("reporter",), "towns": ("there",)},
    "roads here": {"roles": ("reporter",), "towns": ("here",), "department": "roads"},
    "security": {"roles": ("security-administrator",)},
    "auditor": {"roles": ("auditor",)},
}


class RenewalOffice:
    """A city with the campaign of `renewal_of` behind a real server, and a client for everybody."""

    def __init__(self, folder: Path) -> None:
        self.city = City.open_or_create(folder / "city")
        people = self.city.office.people
        self.city.office.policies.put(public_policy().document(), 0, "test")
        towns_of(self.city)
        people.add_department("roads", {"en": "Roads"})
        people.add_department("water", {"en": "Water"})
        renewal_of(self.city)
        unlimited = {f"CIM_RATE_{name}": "1000000" for name in ("ADDRESS", "PERSON", "FILES")}
        self.server = Server(self.city.folder, folder / "server.log", **unlimited)
        self.stranger = httpx.Client(base_url=self.server.url, timeout=30)
        self._clients = {name: self.client(name, **more) for name, more in PEOPLE.items()}

    def __getitem__(self, name: str) -> httpx.Client:
        return self._clients[name]

    def client(self, name: str, **more: Any) -> httpx.Client:
        """Another client for somebody, who is begun if nobody has that name."""
        office = self.city.office
        account = office.people.named(name) or office.people.add(name, **more)
        key = office.keys.add(account.id, name, LAYER_AND_CITY_VERBS, 1)[1]
        headers = {"authorization": f"Bearer {key}"}
        return httpx.Client(base_url=self.server.url, timeout=30, headers=headers)

    def stop(self) -> None:
        """End the server; its log must be clean."""
        for client in (self.stranger, *self._clients.values()):
            client.close()
        self.server.stop()
        assert self.server.odd_lines() == []


def changed(
    client: httpx.Client, url: str, version: int | None, change: dict[str, Any], **more: Any
) -> httpx.Response:
    """Ask for a change of a version; without If-Match where none is told."""
    headers = {} if version is None else {"if-match": f'"{version}"'}
    return client.patch(url, json={"change": change, **more}, headers=headers)
