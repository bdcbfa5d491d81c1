"""What the words of the check-up are called: `words.toml`."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

Words = Mapping[str, Mapping[str, Mapping[str, str]]]
"""By kind of word and by word: {"en": …, "zh": …}."""


@cache
def words() -> Words:
    """All of them, in the order in which they are shown."""
    table: Words = tomllib.loads(
        files("analysis.checkup").joinpath("words.toml").read_text("utf-8")
    )
    return table
