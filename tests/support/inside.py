"""The application in the test's own process, asked by whoever the test wants."""

from pathlib import Path
from types import TracebackType

from starlette.testclient import TestClient

from cim_core.city import City
from server.access.policy import Policy, public_policy
from server.app import create_app
from server.settings import Settings
from tests.support.serving import LAYER_AND_CITY_VERBS

STRANGER = "stranger"


class Inside:
    """An application with a policy, and clients of it: `inside.client("viewer")`."""

    def __init__(self, folder: Path, policy: Policy | None = None) -> None:
        self.city = City.open_or_create(folder)
        self.office = self.city.office
        self.app = create_app(Settings(city=folder))
        self.decide(policy or public_policy())
        self._lifespan = TestClient(self.app)

    def __enter__(self) -> "Inside":
        self._lifespan.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lifespan.__exit__(kind, error, trace)

    def decide(self, policy: Policy) -> None:
        """Put another policy into force, at once."""
        known = self.office.policies.current()
        self.office.policies.put(policy.document(), known[0] if known else 0, "test")
        self.app.state.cim.gate.forget()

    def account(self, role: str, name: str | None = None, **more: object) -> str:
        """The id of an account of that role, begun when it is asked for first."""
        name = name or role
        known = self.office.people.named(name)
        return (known or self.office.people.add(name, roles=(role,), **more)).id

    def client(
        self, role: str, name: str | None = None, *, address: str = "127.0.0.1", **more: object
    ) -> TestClient:
        """A client that asks with the key of an account of a role; as a stranger, with none."""
        headers = {}
        if role != STRANGER:
            account = self.account(role, name, **more)
            secret = self.office.keys.add(account, "test", LAYER_AND_CITY_VERBS, 1)[1]
            headers["authorization"] = f"Bearer {secret}"
        client = TestClient(
            self.app, base_url="http://localhost", headers=headers, client=(address, 50000),
            raise_server_exceptions=False, follow_redirects=False,
        )  # fmt: skip
        client.portal = self._lifespan.portal
        return client
