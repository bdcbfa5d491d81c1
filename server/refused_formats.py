"""Formats that cannot be read here, and what to do instead; the table is `refused_formats.toml`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files


@dataclass(frozen=True, slots=True, eq=False)
class RefusedFormat:
    """What a format is called and what to do with a file of it, by language."""

    name: Mapping[str, str]
    remedy: Mapping[str, str]


@lru_cache
def refused_formats() -> Mapping[str, RefusedFormat]:
    """The formats by the ending of the name, lower case, with the dot."""
    text = files("server").joinpath("refused_formats.toml").read_text(encoding="utf-8")
    formats: dict[str, RefusedFormat] = {}
    for entry in tomllib.loads(text)["format"]:
        refused = RefusedFormat(entry["name"], entry["remedy"])
        formats |= dict.fromkeys(entry["endings"], refused)
    return formats
