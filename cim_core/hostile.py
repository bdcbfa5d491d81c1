"""What a file announces, looked at before it is believed: sizes that no honest file has.

Each check needs little memory itself, whatever the file says. What archives can hold is in
`cim_core.archives`, what GDAL may do in `cim_core.gdal`.
"""

import json
import re
import struct
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from cim_core.errors import InvalidInput, TooLarge

_BLOCK = 1 << 20
_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_BRACKETS = re.compile(rb"[\[{]+|[\]}]+")
_NO_SIZE = {0xC4, 0xC8, 0xCC}
"""Markers among those of a JPEG's frames that are none."""


@dataclass(frozen=True, slots=True)
class FileLimits:
    """What a single file may announce; see `hostile_limits.toml`."""

    growth: int
    growth_from: int
    raster_pixels: int
    raster_piece: int
    table_cells: int
    picture_pixels: int
    line: int
    depth: int


@lru_cache
def file_limits() -> FileLimits:
    """The limits of the table."""
    text = files("cim_core").joinpath("hostile_limits.toml").read_text(encoding="utf-8")
    return FileLimits(**tomllib.loads(text))


def check_growth(name: str, announced: int, stored: int) -> None:
    """Raise `TooLarge` for a file of `stored` bytes that announces far more than it can hold."""
    limits = file_limits()
    if announced > limits.growth_from and announced > limits.growth * max(stored, 1):
        raise TooLarge(
            f"{name} announces {announced / 2**30:.1f} GiB in a file of {stored / 2**20:.1f} MiB, "
            "which cannot be sound; export it again"
        )


def check_lines(path: Path, name: str) -> None:
    """Raise `InvalidInput` for a text with a line that is too long to be one of a table."""
    longest, number, length = file_limits().line, 1, 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            parts = block.replace(b"\r", b"\n").split(b"\n")
            for place, part in enumerate(parts):
                length = length + len(part) if place == 0 else len(part)
                if length > longest:
                    raise InvalidInput(
                        f"{name} is no table: line {number + place} is longer than {longest >> 20} MiB; "
                        "export it again with line breaks"
                    )
            number += len(parts) - 1


def parsed_json(data: bytes) -> Any:
    """JSON that is not nested deeper than anybody means; raises `ValueError`."""
    deepest = file_limits().depth
    depth = 0
    for found in _BRACKETS.finditer(_STRINGS.sub(b'""', data)):
        depth += len(found[0]) if found[0][:1] in b"[{" else -len(found[0])
        if depth > deepest:
            raise ValueError(f"it is nested deeper than {deepest} levels")
    return json.loads(data)


def check_picture(data: bytes, inside: str, name: str) -> None:
    """Raise `TooLarge` for a PNG, JPEG or WebP that has too many pixels once it is unpacked.

    `inside` is the picture's own name in the file `name`. What is no such picture is left alone.
    """
    width, height = _size_of(data)
    if width * height > file_limits().picture_pixels:
        raise TooLarge(
            f"{name} brings the picture {inside} of {width} × {height} pixels, more than are taken; "
            "make it smaller and export the model again"
        )


def _size_of(data: bytes) -> tuple[int, int]:
    """Width and height a picture announces; (0, 0) for what is none."""
    if data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) >= 24:
        width, height = struct.unpack_from(">2L", data, 16)
        return width, height
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP" and len(data) >= 30:
        return _size_of_webp(data)
    return _size_of_jpeg(data) if data.startswith(b"\xff\xd8") else (0, 0)


def _size_of_webp(data: bytes) -> tuple[int, int]:
    match data[12:16]:
        case b"VP8X":
            sides = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
            width, height = sides
        case b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case _:
            width, height = (side & 0x3FFF for side in struct.unpack_from("<2H", data, 26))
    return width, height


def _size_of_jpeg(data: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in _NO_SIZE:
            height, width = struct.unpack_from(">2H", data, at + 5)
            return width, height
        at += 1 if marker == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return 0, 0
