"""Signing in with the city's own identity service (OpenID Connect Core 1.0, code flow with PKCE)."""

import hmac
import logging
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from cim_core.errors import MissingDependency, SignInNeeded
from server.settings import Settings

_SCOPE = "openid profile email"
_SIGNATURES = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
"""What a token may be signed with: keys of which we need to know the public half only."""
_LEEWAY_SECONDS = 60
"""The clocks of two machines differ by so much."""
_TIMEOUT_SECONDS = 10.0
_REMEMBERED_SECONDS = 600.0
"""So long what the service says of itself is believed, so that strangers cannot have it asked often."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Errand:
    """What a browser keeps for us while it is at the identity service.

    state
        Comes back with the answer: whoever brings it has been sent by us.
    nonce
        Comes back in the token, which was therefore made for this errand.
    verifier
        Whose hash the service has been told (PKCE, RFC 7636).
    """

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> "Errand":
        """Three things nobody can guess."""
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))

    @classmethod
    def kept_in(cls, cookie: str) -> "Errand | None":
        """The errand of a cookie; None for what is none."""
        parts = cookie.split(".")
        return cls(*parts) if len(parts) == 3 and all(parts) else None

    def as_cookie(self) -> str:
        """The errand as the browser keeps it."""
        return f"{self.state}.{self.nonce}.{self.verifier}"

    def is_of(self, state: str) -> bool:
        """Whether an answer belongs to this errand."""
        return hmac.compare_digest(self.state.encode(), state.encode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Who somebody is to the identity service: a subject that never changes, and a name."""

    subject: str
    name: str


class IdentityService:
    """The city's identity service, asked over HTTP."""

    def __init__(self, issuer: str, settings: Settings) -> None:
        self._issuer = issuer
        self._settings = settings
        self._told: Mapping[str, Any] = {}
        self._told_at = -_REMEMBERED_SECONDS

    @classmethod
    def of(cls, settings: Settings) -> "IdentityService | None":
        """The service of the settings, None where there is none."""
        return cls(settings.oidc_issuer, settings) if settings.oidc_issuer else None

    @property
    def title(self) -> str:
        """What people call it."""
        return self._settings.oidc_title or urlsplit(self._issuer).netloc

    async def address(self, errand: Errand, back: str) -> str:
        """Where to send a browser that is to come `back`; raises `MissingDependency`."""
        async with self._client(back) as client:
            told = await self._metadata(client)
            url, _ = client.create_authorization_url(
                told["authorization_endpoint"],
                state=errand.state,
                nonce=errand.nonce,
                code_verifier=errand.verifier,
            )
        return str(url)

    async def confirmed(self, errand: Errand, code: str, back: str) -> Confirmed:
        """Who came back with a code; raises `SignInNeeded` where the service does not confirm it.

        Raises `MissingDependency` if the service cannot be asked.
        """
        async with self._client(back) as client:
            told = await self._metadata(client)
            token = await client.fetch_token(
                told["token_endpoint"],
                grant_type="authorization_code",
                code=code,
                code_verifier=errand.verifier,
            )
            keys = await self._asked(client, told["jwks_uri"])
            claims = dict(self._verified(token, keys, errand))
            if self._settings.oidc_claim not in claims and "userinfo_endpoint" in told:
                more = await self._asked(client, told["userinfo_endpoint"], token["access_token"])
                if more.get("sub") == claims["sub"]:  # Core 5.3.2
                    claims = {**more, **claims}
        return Confirmed(f"{self._issuer} {claims['sub']}", self._name(claims))

    def _verified(
        self, token: Mapping[str, Any], keys: Mapping[str, Any], errand: Errand
    ) -> CodeIDToken:
        """The claims of an ID token once everything about it is right (Core 3.1.3.7)."""
        decoded = jwt.decode(token["id_token"], KeySet.import_key_set(keys), _SIGNATURES)  # type: ignore[arg-type]
        client = self._settings.oidc_client_id
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            {
                "iss": {"essential": True, "value": self._issuer},
                "aud": {"essential": True, "value": client},
            },
            {
                "nonce": errand.nonce,
                "client_id": client,
                "access_token": token["access_token"],
            },
        )
        claims.validate(leeway=_LEEWAY_SECONDS)
        return claims

    def _name(self, claims: Mapping[str, Any]) -> str:
        """The name by which an account is found the first time; empty if nobody vouches for it."""
        claim = self._settings.oidc_claim
        if claim == "email" and claims.get("email_verified") is not True:
            return ""
        return str(claims.get(claim) or "")

    @asynccontextmanager
    async def _client(self, back: str) -> AsyncIterator[AsyncOAuth2Client]:
        secret = self._settings.oidc_client_secret
        try:
            async with AsyncOAuth2Client(
                self._settings.oidc_client_id,
                secret.get_secret_value() if secret else None,
                scope=_SCOPE,
                redirect_uri=back,
                code_challenge_method="S256",
                timeout=_TIMEOUT_SECONDS,
            ) as client:
                yield client
        except (AuthlibBaseError, JoseError) as error:
            raise SignInNeeded(
                f"the identity service did not confirm who you are ({str(error.error)[:80]}); begin "
                "again with signing in"
            ) from None
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, KeyError, TypeError) as error:
            _log.warning("the identity service cannot be used: %r", error)
            raise MissingDependency(
                f"the identity service {self._issuer} does not answer as OpenID Connect wants it; "
                "try again later, or see CIM_OIDC_ISSUER and the server's log"
            ) from None

    async def _metadata(self, client: AsyncOAuth2Client) -> Mapping[str, Any]:
        """What the service says of itself (OpenID Connect Discovery 1.0, 4)."""
        now = time.monotonic()
        if now - self._told_at >= _REMEMBERED_SECONDS:
            address = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
            told = await self._asked(client, address)
            if told["issuer"] != self._issuer:
                raise ValueError(f"it calls itself {told['issuer']}")
            self._told, self._told_at = told, now
        methods = self._told.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if client.client_secret and "client_secret_basic" not in methods:
            client.token_endpoint_auth_method = "client_secret_post"  # noqa: S105 - a method's name
        return self._told

    async def _asked(
        self, client: AsyncOAuth2Client, address: str, token: str | None = None
    ) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        answer = await client.request("GET", address, withhold_token=True, headers=headers)
        answer.raise_for_status()
        said = answer.json()
        if not isinstance(said, dict):
            raise ValueError(f"{address} is no JSON object")
        return said
