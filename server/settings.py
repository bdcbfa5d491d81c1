"""Every setting of the server, in one place; the environment prefix is CIM_."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from cim_core.errors import InvalidInput
from cim_core.work import Crew, Limits
from server.bounds import usual_memory

_NAME = r"([\w-]+\.)*[\w-]+|[0-9a-fA-F.:]+"
_SITE = r"https?://(\*\.)?([\w-]+\.)*[\w-]+(:\d+)?"


def _parted(given: object) -> object:
    """What stands in a variable, between commas."""
    if not isinstance(given, str):
        return given
    return tuple(part.strip() for part in given.split(",") if part.strip())


def _network(given: str) -> str:
    """An address or a network of addresses; raises `ValueError` for anything else."""
    return str(ip_network(given))


Several = BeforeValidator(_parted)
Names = Annotated[
    tuple[Annotated[str, Field(pattern=f"^({_NAME})$"), AfterValidator(str.lower)], ...],
    NoDecode, Several,
]  # fmt: skip
Sites = Annotated[tuple[Annotated[str, Field(pattern=f"^{_SITE}$")], ...], NoDecode, Several]
Origins = Annotated[
    tuple[Annotated[str, Field(pattern=rf"^({_SITE}|\*)$")], ...], NoDecode, Several
]
Hosts = Annotated[
    tuple[
        Annotated[str, Field(pattern=rf"^(http://)?({_NAME}|\[[0-9a-fA-F:.]+\])(:\d+)?$"), AfterValidator(str.lower)],
        ...,
    ],
    NoDecode, Several,
]  # fmt: skip
Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], NoDecode, Several]
Topics = Annotated[
    tuple[Annotated[str, Field(pattern=r"^[^+#]*(^|/)\{layer\}(/[^+#]*)?$")], ...],
    NoDecode,
    Several,
]


class Settings(BaseSettings):
    """What can be set by the environment; the command line's options outrank it."""

    model_config = SettingsConfigDict(env_prefix="CIM_")

    city: Path = Path("city")
    """The city's folder."""
    host: Names = ("127.0.0.1",)
    """The addresses to listen on; others than those of this machine only where there is a policy."""
    port: int = Field(8000, ge=0, le=65535)
    """The port; 0 takes any free one."""
    hosts: Names = ()
    """The names this server answers under, besides localhost and the address that was connected to."""
    proxies: Networks = ()
    """Addresses and networks whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    tls_cert: Path | None = None
    """The certificate with those that lead to it, PEM; none: plain HTTP."""
    tls_key: Path | None = None
    """The certificate's private key, PEM; none if the certificate's file has it."""
    origins: Origins = ()
    """Sites whose pages may read from this server with a key (CORS), or * for all."""
    frame_ancestors: Sites = ()
    """Sites that may show the viewer in a frame of theirs."""
    patience_seconds: float = Field(20.0, gt=0)
    """How long a client may take to begin a request, and to go on with what it sends or takes."""
    connections_per_address: int = Field(512, gt=0)
    """How many connections one address may have; proxies may have any number."""
    rate_address: int = Field(60_000, gt=0)
    """Requests a minute of one address, whoever makes them."""
    rate_person: int = Field(6_000, gt=0)
    """Requests a minute of one person, key, or address of strangers, files and map tiles aside."""
    rate_files: int = Field(30_000, gt=0)
    """Files and map tiles a minute of the same."""
    rate_sign_in: int = Field(120, gt=0)
    """Sign-ins a minute that one address may try."""
    mqtt_url: str | None = None
    """The MQTT broker that observations come from, mqtt://user@host:1883 or mqtts://host; none: none."""
    mqtt_password: SecretStr | None = None
    """The password of the user in that address."""
    mqtt_client: str = Field("cim-twin", min_length=1, max_length=128)
    """Under which name the broker knows this server, so another than that of any other client."""
    rate_record: int = Field(200_000, gt=0)
    """Requests a minute with observations of one person, key, or address of strangers."""
    record_queue_rows: int = Field(100_000, gt=0)
    """How many observations may wait to be written before senders are told to wait."""
    record_queue_bytes: int = Field(64 << 20, gt=0)
    """How much of them may wait, or be read, bytes."""
    dead_letters_kept: int = Field(100_000, gt=0)
    """How many observations that are not believed are kept; the oldest go."""
    observed_late_hours: float = Field(24.0, gt=0, le=25.0)
    """How old an observation may be when it arrives; what is older is filled in."""
    observed_ahead_minutes: float = Field(5.0, ge=0)
    """How far ahead of this server's clock its time may be."""
    observed_margin_km: float = Field(20.0, ge=0)
    """How far from the city's layers and things it may be, where it says where it was."""
    hot_minutes: float = Field(60.0, gt=0)
    """How long observations stay hot at least, where there is room."""
    hot_rows: int = Field(2_000_000, gt=0)
    """How many observations may be hot before the oldest become history whatever their age."""
    traffic_hot_minutes: float = Field(120.0, gt=0)
    """How long traffic stays as it came before it becomes history."""
    mqtt_traffic: Topics = ("v2x/{layer}/{kind}", "cim/{district}/traffic/{layer}/{kind}")
    """The MQTT topics that messages of vehicles and roadside units come under; empty for none."""
    play: str | None = Field(None, pattern=r"^[a-z0-9][a-z0-9_-]{0,62}=.+$")
    """A recording of traffic that plays over and over as if it happened now, LAYER=FILE; none: none."""
    history_memory: int = Field(1 << 30, ge=128 << 20)
    """How much memory a process may take to read history, and the compactor to write it, bytes."""
    history_threads: int = Field(2, gt=0)
    """How many threads a process may take to read history."""
    max_body_bytes: int = Field(8 << 20, gt=0)
    """The largest body of any request that is no upload."""
    max_upload_bytes: int = Field(2 << 30, gt=0)
    """The largest file that may be uploaded."""
    upload_bytes_per_day: int = Field(50 << 30, gt=0)
    """What one person may upload in a day (UTC)."""
    evidence_bytes: int = Field(256 << 20, gt=0)
    """The largest file that is taken as evidence of renewal."""
    webhook_hosts: Hosts = ()
    """The hosts that may be told of orders over https, host or host:port; http://host:port without."""
    item_seconds: float = Field(120.0, gt=0)
    """How long the geometry of one element may take before the element is left out."""
    item_memory: int = Field(4 << 30, gt=0)
    """How much memory the geometry of one element may take, bytes."""
    job_memory: int = Field(default_factory=usual_memory, gt=0)
    """How much memory one process of a job may take, bytes; without it three quarters of all."""
    scheduler: str | None = Field(None, pattern=r"^(tcp|tls)://.+:\d+$")
    """The Dask scheduler that does the work of many processes, tcp://host:port; none: this machine."""
    max_triangles: int = Field(2_000_000, gt=0)
    """The most triangles an extract or a section may have that is asked for over HTTP."""
    viewer: Path = Path(__file__).parent / "viewer" / "dist"
    """Where the built viewer lies."""
    password_memory_kib: int = Field(65_536, ge=12_288, le=4 << 20)
    """Memory one hash of a password takes; below 12 MiB three passes are no longer what is advised."""
    oidc_issuer: str | None = Field(
        None, pattern=r"^(https://[^?#]+|http://(localhost|127\.0\.0\.1|\[::1\])([:/][^?#]*)?)$"
    )
    """The city's own identity service (OpenID Connect), as it names itself; without TLS only here."""
    oidc_client_id: str = "cim-twin"
    """Under which name that service knows this one."""
    oidc_client_secret: SecretStr | None = None
    """What proves it; none for a public client."""
    oidc_title: str | None = None
    """What people call that service; the name of its machine if not given."""
    oidc_claim: str = Field("preferred_username", min_length=1)
    """Which of its claims is the name of an account that signs in there for the first time."""

    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks of the proxies."""
        return tuple(ip_network(proxies) for proxies in self.proxies)

    def crew(self) -> Crew:
        """With what means these settings let work be done."""
        return Crew(limits=Limits(self.item_seconds, self.item_memory), scheduler=self.scheduler)


def load_settings(**given: object) -> Settings:
    """The settings of the environment and those given; raises `InvalidInput` naming a wrong one."""
    try:
        return (
            Settings.model_validate({**Settings().model_dump(), **given}) if given else Settings()
        )
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise InvalidInput(
            f"the setting CIM_{name.upper()} (or --{name.replace('_', '-')}) is wrong: {first['msg']}; correct it"
        ) from error
