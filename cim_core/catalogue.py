"""The resource catalogue: its tree, and where a layer of a kind stands by default."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Node:
    """A place in the catalogue; its id is the path to it, `title` its name by language."""

    id: str
    title: Mapping[str, str]
    children: tuple["Node", ...] = ()


@lru_cache
def catalogue() -> tuple[Node, ...]:
    """The families of the catalogue with what stands below them.

    >>> [node.id for node in catalogue()]
    ['base', 'resources', 'planning', 'projects', 'topics', 'sensing']
    """
    return tuple(_node(entry) for entry in _data()["node"])


@lru_cache
def places() -> frozenset[str]:
    """The ids of all places in the catalogue."""
    return frozenset(node.id for family in catalogue() for node in _within(family))


def default_cim_level(kind: str) -> int:
    """The CIM level of a layer of a kind whose importer does not know better.

    >>> default_cim_level("terrain")
    1
    """
    return next(int(row["cim_level"]) for row in _defaults(kind) if "cim_level" in row)


def default_place(kind: str, cim_level: int) -> str:
    """Where a layer stands until somebody puts it elsewhere.

    >>> default_place("model", 2), default_place("model", 6)
    ('base/models', 'projects/completion')
    """
    return next(str(row["place"]) for row in _defaults(kind) if cim_level <= row.get("up_to", 7))


def _defaults(kind: str) -> Iterator[dict[str, Any]]:
    return (row for row in _data()["default"] if row["kind"] == kind)


def _node(entry: Mapping[str, Any]) -> Node:
    children = tuple(_node(child) for child in entry.get("children", ()))
    return Node(entry["id"], {"en": entry["en"], "zh": entry["zh"]}, children)


def _within(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _within(child)


@lru_cache
def _data() -> dict[str, Any]:
    text = files("cim_core").joinpath("catalogue.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
