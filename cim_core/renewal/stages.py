"""The stages that projects go through, as `stages.toml` has them."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from cim_core.renewal.words import Mode, ProjectType, Title


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of a project.

    milestone
        Whether its end is what a project is reported by.
    confidence
        "read" where it stands in what cities published, "known" where it is recalled from practice.
    """

    id: str
    title: Title
    milestone: bool
    confidence: str


@dataclass(frozen=True, slots=True)
class Template:
    """The stages of projects of some types and modes, in their order."""

    id: str
    title: Title
    types: tuple[ProjectType, ...]
    modes: tuple[Mode, ...]
    stages: tuple[Stage, ...]
    source: str


@cache
def templates() -> Mapping[str, Template]:
    """The templates by id, in their order.

    >>> [stage.id for stage in templates()["micro-renewal"].stages]
    ['survey', 'scheme', 'construction', 'acceptance']
    """
    text = files("cim_core.renewal").joinpath("stages.toml").read_text(encoding="utf-8")
    found = {}
    for row in tomllib.loads(text)["template"]:
        stages = tuple(
            Stage(
                stage["id"],
                {language: stage[language] for language in ("en", "zh")},
                stage.get("milestone", False),
                stage["confidence"],
            )
            for stage in row["stages"]
        )
        found[row["id"]] = Template(
            row["id"], row["title"], tuple(row["types"]), tuple(row["modes"]), stages, row["source"]
        )
    return found
