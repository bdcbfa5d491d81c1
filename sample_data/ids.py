"""Reproducible GlobalIds, so that the same seed gives the same file byte for byte."""

from __future__ import annotations

import hashlib
from collections import Counter

import ifcopenshell
import ifcopenshell.guid


def global_id(*parts: object) -> str:
    """Return the 22-character IFC GlobalId that belongs to a path of names.

    The first 128 bits of the SHA-256 of the joined parts are used, so equal parts give equal
    ids on every machine and different parts practically never collide.
    """
    digest = hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()
    return str(ifcopenshell.guid.compress(digest[:32]))


def stamp(file: ifcopenshell.file, building: str, seed: int) -> None:
    """Give every rooted entity of a file its reproducible GlobalId.

    An entity is known by its class, its name and how many of the same came before it, so that
    adding a chair does not change the ids of the walls.
    """
    seen: Counter[tuple[str, str]] = Counter()
    for entity in sorted(file.by_type("IfcRoot"), key=lambda e: e.id()):
        key = (str(entity.is_a()), entity.Name or "")
        entity.GlobalId = global_id(building, seed, *key, seen[key])
        seen[key] += 1
