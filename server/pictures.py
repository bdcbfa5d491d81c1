"""The picture of a layer in the catalogue: made when it is first asked for, kept with its version."""

import logging
import threading
import tomllib
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from analysis.thumbnail import HEIGHT, WIDTH, thumbnail_png
from cim_core.city import City
from cim_core.errors import MissingDependency
from cim_core.files import write_whole
from cim_core.layer import FILES, IMAGE, SURFACE
from cim_core.store.layers import LayerVersion
from server.rastertiles import preview

_NAME = "thumbnail"
_PLAIN = "#8a9099"

_one_painter = threading.Lock()
_log = logging.getLogger(__name__)

Picture = tuple[bytes, str]
"""A picture and its media type."""


def thumbnail(city: City, version: LayerVersion) -> Picture:
    """A picture of a version of a layer: PNG, or a sign of its kind as SVG.

    Of a layer that is seen only in part it is the sign: the picture shows the whole.
    """
    if not version.part.whole:
        return _sign(version), "image/svg+xml"
    folder = city.layers_folder / version.layer / str(version.version)
    return _kept(folder) or _made(city, version, folder)


def _kept(folder: Path) -> Picture | None:
    for ending, media_type in (("png", "image/png"), ("svg", "image/svg+xml")):
        path = folder / f"{_NAME}.{ending}"
        if path.is_file():
            return path.read_bytes(), media_type
    return None


def _made(city: City, version: LayerVersion, folder: Path) -> Picture:
    with _one_painter:  # a catalogue asks for all pictures at once, and each takes a processor
        if kept := _kept(folder):
            return kept
        try:
            picture = _painted(city, version, folder)
        except MissingDependency as error:
            _log.info("%s; a sign stands for the layer %s", error.sentence, version.layer)
            picture = None
        ending, content = ("svg", _sign(version)) if picture is None else ("png", picture)
        if folder.is_dir():  # not swept meanwhile
            write_whole(folder / f"{_NAME}.{ending}", content)
    return content, "image/png" if ending == "png" else "image/svg+xml"


def _painted(city: City, version: LayerVersion, folder: Path) -> bytes | None:
    """The picture, None for kinds that have none."""
    match version.summary.get("kind", "model"):
        case "model" | "vector" | "network":
            return thumbnail_png(city, version)
        case "terrain":
            return preview(folder / FILES / SURFACE, WIDTH, HEIGHT, shaded=True)
        case "imagery":
            return preview(folder / FILES / IMAGE, WIDTH, HEIGHT, shaded=False)
        case _:
            return None


def _sign(version: LayerVersion) -> bytes:
    """A sign of the kind of a layer in the colour of its most frequent class."""
    classes = version.summary["classes"].values()
    color = max(classes, key=lambda style: style["count"], default={"color": _PLAIN})["color"]
    path = _paths()[version.summary.get("kind", "model")]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="-80 -15 260 130"><rect x="-80" y="-50" width="260" height="200" fill="#f4f5f6"/>'
        f'<path d="{path}" fill="{color}" fill-opacity="0.25" stroke="{color}" stroke-width="5" '
        'stroke-linejoin="round" stroke-linecap="round"/></svg>'
    ).encode()


@lru_cache
def _paths() -> dict[str, str]:
    text = files("server").joinpath("icons.toml").read_text(encoding="utf-8")
    return dict(tomllib.loads(text)["paths"])
