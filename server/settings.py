"""Every setting of the server, in one place; the environment prefix is CIM_."""

from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from cim_core.errors import InvalidInput
from cim_core.work import Crew, Limits


class Settings(BaseSettings):
    """What can be set by the environment; the command line's options outrank it."""

    model_config = SettingsConfigDict(env_prefix="CIM_")

    city: Path = Path("city")
    """The city's folder."""
    port: int = Field(8000, ge=0, le=65535)
    """The port on 127.0.0.1; 0 takes any free one."""
    max_upload_bytes: int = Field(2 << 30, gt=0)
    """The largest file that may be uploaded."""
    item_seconds: float = Field(120.0, gt=0)
    """How long the geometry of one element may take before the element is left out."""
    item_memory: int = Field(4 << 30, gt=0)
    """How much memory the geometry of one element may take, bytes."""
    scheduler: str | None = Field(None, pattern=r"^(tcp|tls)://.+:\d+$")
    """The Dask scheduler that does the work of many processes, tcp://host:port; none: this machine."""
    max_triangles: int = Field(2_000_000, gt=0)
    """The most triangles an extract or a section may have that is asked for over HTTP."""
    viewer: Path = Path(__file__).parent / "viewer" / "dist"
    """Where the built viewer lies."""

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
            f"the setting CIM_{name.upper()} (or --{name}) is wrong: {first['msg']}; correct it"
        ) from error
