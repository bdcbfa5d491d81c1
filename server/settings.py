"""Every setting of the server, in one place; the environment prefix is CIM_."""

from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from cim_core.errors import InvalidInput


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
    viewer: Path = Path(__file__).parent / "viewer" / "dist"
    """Where the built viewer lies."""


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
