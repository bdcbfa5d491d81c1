"""`city.toml`: a city's name, its place, and the few choices a city makes."""

import os
import stat
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tomlkit

from cim_core.errors import Forbidden, InvalidInput
from cim_core.files import write_whole
from cim_core.frame import Frame

FILE_NAME = "city.toml"


@dataclass(frozen=True, slots=True)
class CityFile:
    """What `city.toml` says.

    frame
        The city's own frame; None until the first georeferenced import gives it a place.
    crs, vertical_datum
        The systems the city's surveys are in.
    geoid_separation
        Ellipsoidal height minus height in the vertical datum, metres.
    crs_pipeline
        A protected file with the city's own PROJ pipeline for `crs`, for local systems.
    keep_versions
        How many versions of a layer stay before the oldest are collected.
    """

    name: str
    frame: Frame | None
    crs: str | None
    vertical_datum: str
    geoid_separation: float
    crs_pipeline: Path | None
    keep_versions: int


def read_city_file(folder: Path) -> CityFile:
    """Read and check a city's settings; raises `InvalidInput` naming the entry that is wrong."""
    path = folder / FILE_NAME
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        place = data.get("place", {})
        anchor = place.get("anchor")
        separation = float(place.get("geoid_separation", 0.0))
        pipeline = place.get("crs_pipeline")
        return CityFile(
            name=str(data.get("name", folder.name)),
            frame=_frame(anchor, separation) if anchor else None,
            crs=place.get("crs"),
            vertical_datum=str(place.get("vertical_datum", "ellipsoidal")),
            geoid_separation=separation,
            crs_pipeline=(folder / pipeline) if pipeline else None,
            keep_versions=max(1, int(data.get("keep_versions", 5))),
        )
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError, ValueError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}; correct that entry") from error


def _frame(anchor: Sequence[float], geoid_separation: float) -> Frame:
    """The file's anchor, whose height is in the city's vertical datum, as an ellipsoidal frame."""
    lon, lat, height = (float(value) for value in anchor)
    return Frame(lon, lat, height + geoid_separation)


def write_city_file(folder: Path, name: str) -> None:
    """Begin a city without a place; the first georeferenced import will give it one."""
    document = tomlkit.document()
    document.add(
        tomlkit.comment("A city of CIM Twin; docs/reference/city.md explains the entries.")
    )
    document["name"] = name
    document["keep_versions"] = 5
    write_whole(folder / FILE_NAME, tomlkit.dumps(document).encode())


def write_place(folder: Path, frame: Frame, crs: str | None, vertical_datum: str | None) -> None:
    """Give a city its place, keeping what people wrote in the file."""
    path = folder / FILE_NAME
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    place = document.setdefault("place", tomlkit.table())
    separation = float(place.get("geoid_separation", 0.0))
    height = round(frame.height - separation, 3)
    place["anchor"] = [round(frame.lon, 7), round(frame.lat, 7), height]
    if crs:
        place.setdefault("crs", crs)
    place.setdefault("vertical_datum", vertical_datum or default_vertical_datum(frame))
    write_whole(path, tomlkit.dumps(document).encode())


def default_crs(frame: Frame) -> str:
    """The plane system used around a place: CGCS2000 3° zones in China, UTM elsewhere.

    >>> default_crs(Frame(113.46, 23.1, 0))
    'EPSG:4547'
    """
    if in_china(frame):
        return f"EPSG:{4534 + round(frame.lon / 3) - 25}"
    zone = min(60, int((frame.lon + 180) // 6) + 1)
    return f"EPSG:{(32600 if frame.lat >= 0 else 32700) + zone}"


def in_china(frame: Frame) -> bool:
    """Whether the CGCS2000 systems are meant for this place (by its box, not its border)."""
    return 73.5 <= frame.lon <= 136.5 and 3 <= frame.lat <= 54


def default_vertical_datum(frame: Frame) -> str:
    """The height system used around a place."""
    return "EPSG:5737" if in_china(frame) else "ellipsoidal"


def read_pipeline(path: Path) -> str:
    """Read a protected PROJ pipeline; refuses a file that others on this machine can read."""
    try:
        mode = path.stat().st_mode
        if os.name == "posix" and mode & (stat.S_IRGRP | stat.S_IROTH):
            raise Forbidden(
                f"{path} holds a coordinate system's parameters and can be read by others; "
                "protect it with `chmod 600`"
            )
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise InvalidInput(
            f"the PROJ pipeline {path} that city.toml names cannot be read ({error.strerror})"
        ) from error
