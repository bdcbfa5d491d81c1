"""The dictionaries of pipe surveys: classes with codes and colours, and what they imply."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from cim_core.layer import ClassStyle
from cim_core.network import Reference

_UNKNOWN = "#66707c"


@dataclass(frozen=True, slots=True)
class PipeClass:
    """A sub-class of pipes.

    code
        Its letters: "JP".
    system
        The letters of the class it belongs to: "JS".
    title
        By language.
    reference
        What of a segment of it the surveyed elevations are those of.
    """

    code: str
    system: str
    title: dict[str, str]
    color: str
    reference: Reference


def pipe_class(code: str) -> PipeClass:
    """A class or sub-class by its letters; one that is not known is of the system "" ."""
    return _classes().get(code) or PipeClass(
        code, "", {"en": code, "zh": code}, _UNKNOWN, Reference.AXIS
    )


def class_styles(names: Iterable[str]) -> dict[str, ClassStyle]:
    """Name, colour and whether it is shown, of classes of segments and of nodes."""
    nodes = _table()["nodes"]
    styles = {}
    for name in names:
        if name in nodes:
            entry = nodes[name]
            styles[name] = ClassStyle({"en": entry["en"], "zh": entry["zh"]}, entry["color"], True)
        else:
            known = pipe_class(name)
            styles[name] = ClassStyle(known.title, known.color, True)
    return styles


@lru_cache
def _classes() -> dict[str, PipeClass]:
    found = {}
    for system, entry in _table()["systems"].items():
        reference = Reference[entry["reference"].upper()]
        title = {"en": entry["en"], "zh": entry["zh"]}
        found[system] = PipeClass(system, system, title, entry["color"], reference)
        for code, sub in entry.get("classes", {}).items():
            title = {"en": sub["en"], "zh": sub["zh"]}
            color = sub.get("color", entry["color"])
            found[code] = PipeClass(code, system, title, color, reference)
    return found


@lru_cache
def _table() -> dict[str, Any]:
    text = files("pipelines").joinpath("dictionary.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
