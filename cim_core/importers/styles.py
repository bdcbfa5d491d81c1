"""How the classes and surfaces of a city are named and coloured; the words are in TOML beside."""

import tomllib
import zlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from cim_core.layer import ClassStyle
from cim_core.mesh import Material

_PALETTE = (
    "#7f9fbf", "#bf8f6f", "#8faf7f", "#af7f9f", "#bfa75f", "#6fa7a0", "#a08fbf", "#bf7f7f",
    "#7f8fa7", "#9fa76f", "#8f7f6f", "#6f97bf",
)  # fmt: skip
"""For classes the table does not have: the same name has the same colour everywhere."""


def class_styles(names: Iterable[str]) -> dict[str, ClassStyle]:
    """The style of each class, by name; a class the table does not have keeps its own name.

    >>> class_styles(["WaterBody"])["WaterBody"].title["zh"]
    '水体'
    """
    table = _classes()
    return {name: table.get(name) or _unknown(name) for name in sorted(names)}


def material(name: str, color: str, opacity: float = 1.0) -> Material:
    """A material of a display colour "#rrggbb".

    >>> material("white", "#ffffff").color
    (1.0, 1.0, 1.0, 1.0)
    """
    red, green, blue = (linear(int(color[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return Material(name, (red, green, blue, opacity))


def linear(channel: float) -> float:
    """A display (sRGB) value as the linear one that materials have (IEC 61966-2-1)."""
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def surface_material(surface: str) -> Material | None:
    """How a semantic surface is drawn; None for one without a colour of its own."""
    return _surfaces().get(surface)


def _unknown(name: str) -> ClassStyle:
    title = name.lstrip("+") or name
    color = _PALETTE[zlib.crc32(name.encode()) % len(_PALETTE)]
    return ClassStyle({"en": title, "zh": title}, color, True)


@lru_cache
def _classes() -> Mapping[str, ClassStyle]:
    return {
        name: ClassStyle(
            {"en": entry["en"], "zh": entry["zh"]}, entry["color"], entry.get("visible", True)
        )
        for name, entry in table("classes.toml").items()
    }


@lru_cache
def _surfaces() -> Mapping[str, Material]:
    return {
        name: material(name, entry["color"], entry.get("opacity", 1.0))
        for name, entry in table("surfaces.toml").items()
    }


def table(name: str) -> dict[str, Any]:
    """A table of this package as it stands in its file."""
    text = files("cim_core.importers").joinpath(name).read_text(encoding="utf-8")
    return tomllib.loads(text)
