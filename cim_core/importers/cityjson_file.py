"""Reading CityJSON: whole files, and CityJSONSeq line by line, as one stream of city objects."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from cim_core.errors import InvalidInput, UnsupportedFormat
from cim_core.mesh import Floats

_VERSIONS = ("1.1", "2.0")

_SAMPLE = 1 << 16
"""Bytes that are looked at to tell what a file is."""


@dataclass(frozen=True, slots=True)
class Block:
    """City objects that share a list of vertices: a file, or a line of a sequence.

    objects
        By id, as the file has them.
    vertices
        (n, 3) float64 in the file's reference system and its units.
    appearance, templates
        What surfaces look like, and geometry that is placed more than once.
    """

    objects: Mapping[str, Any]
    vertices: Floats
    appearance: Mapping[str, Any]
    templates: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Head:
    """What a file says of itself: its version and its reference system, None where it names none."""

    version: str
    crs: str | None
    transform: tuple[Floats, Floats]
    document: Mapping[str, Any]
    sequence: bool


def looks_like_cityjson(path: Path) -> bool:
    """Whether the beginning of a file is that of CityJSON."""
    with path.open("rb") as file:
        start = file.read(_SAMPLE)
    if re.search(rb'"type"\s*:\s*"CityJSON', start):
        return True
    # The type may stand behind many objects, but these stand in CityJSON only.
    return bool(re.search(rb'"(CityObjects|geographicalExtent)"\s*:', start))


def read_head(path: Path, name: str) -> Head:
    """The first document of a file; raises `InvalidInput` or `UnsupportedFormat`."""
    first = path.open("rb")
    with first:
        line = first.readline()
        rest = first.read(_SAMPLE).strip()
    document = _parsed(line, None) if rest else None
    sequence = isinstance(document, dict) and document.get("type") == "CityJSON"
    if not sequence:
        document = _parsed(path.read_bytes(), name)
    if not isinstance(document, dict) or document.get("type") != "CityJSON":
        kind = document.get("type") if isinstance(document, dict) else None
        raise InvalidInput(
            f"{name} is not CityJSON: its type is {kind!r}; a sequence must begin with a line of "
            'the type "CityJSON"'
        )
    version = str(document.get("version", ""))
    if version not in _VERSIONS:
        raise UnsupportedFormat(
            f"{name} is CityJSON {version or 'of no version'}; bring it to 2.0 with "
            "`cjio FILE upgrade save OUT`"
        )
    return Head(version, _crs(document), _transform(document, name), document, sequence)


def blocks(path: Path, name: str, head: Head) -> Iterator[Block]:
    """The city objects of a file, a sequence line by line; raises `InvalidInput`."""
    if not head.sequence or head.document.get("CityObjects"):
        yield _block(head.document, head, name)
    if not head.sequence:
        return
    with path.open("rb") as file:
        next(file)
        for number, line in enumerate(file, start=2):
            if not line.strip():
                continue
            document = _parsed(line, f"line {number} of {name}")
            if not isinstance(document, dict) or document.get("type") != "CityJSONFeature":
                raise InvalidInput(
                    f"line {number} of {name} is not a CityJSONFeature; write one feature a line"
                )
            yield _block(document, head, f"line {number} of {name}")


def _block(document: Mapping[str, Any], head: Head, name: str) -> Block:
    scale, translate = head.transform
    try:
        vertices = np.array(document["vertices"], np.float64).reshape(-1, 3)
        objects = dict(document["CityObjects"])
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(
            f"{name} lacks sound CityObjects or vertices; check it with `cjval`"
        ) from error
    shared = head.document
    return Block(
        objects, vertices * scale + translate,
        document.get("appearance") or shared.get("appearance") or {},
        document.get("geometry-templates") or shared.get("geometry-templates") or {},
    )  # fmt: skip


def _parsed(text: bytes, name: str | None) -> Any:
    """JSON; with a `name`, what is none raises `InvalidInput`, without it gives None."""
    try:
        return orjson.loads(text.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        if name is None:
            return None
        raise InvalidInput(f"{name} is not valid JSON ({error}); export it again") from error


def _transform(document: Mapping[str, Any], name: str) -> tuple[Floats, Floats]:
    try:
        transform = document["transform"]
        scale = np.array(transform["scale"], np.float64).reshape(3)
        translate = np.array(transform["translate"], np.float64).reshape(3)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(
            f"{name} has no sound transform, which every CityJSON file needs; check it with `cjval`"
        ) from error
    return scale, translate


def _crs(document: Mapping[str, Any]) -> str | None:
    """The reference system as "EPSG:7415"; a horizontal one and a vertical one are joined by +."""
    metadata = document.get("metadata")
    named = metadata.get("referenceSystem") if isinstance(metadata, dict) else None
    if not isinstance(named, str) or not named.strip():
        return None
    codes = re.findall(r"EPSG[/:]+(?:[\d.]*[/:]+)?(\d{4,6})", named, re.IGNORECASE)
    return "EPSG:" + "+".join(codes) if codes else named
