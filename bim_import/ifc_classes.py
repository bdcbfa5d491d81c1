"""How IFC classes are named and coloured; the words and colours are in `ifc_classes.toml`."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files

from cim_core.layer import ClassStyle


def class_styles(names: Iterable[str]) -> Mapping[str, ClassStyle]:
    """The style of each class, by name; a class the table does not have gets a readable name.

    >>> class_styles(["IfcWallStandardCase"])["IfcWallStandardCase"].title["zh"]
    '墙'
    """
    table = _table()
    return {name: table.get(_base(name, table), _fallback(name)) for name in sorted(names)}


def _base(name: str, table: Mapping[str, ClassStyle]) -> str:
    """IfcWallStandardCase and IfcWallElementedCase are drawn as walls."""
    for ending in ("StandardCase", "ElementedCase"):
        if name not in table and name.endswith(ending):
            return name.removesuffix(ending)
    return name


def _fallback(name: str) -> ClassStyle:
    letters = name.removeprefix("Ifc")
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in letters).strip()
    return ClassStyle({"en": words.capitalize(), "zh": name}, "#b8b8b4", True)


@lru_cache
def _table() -> Mapping[str, ClassStyle]:
    text = files("bim_import").joinpath("ifc_classes.toml").read_text(encoding="utf-8")
    return {
        name: ClassStyle(
            {"en": entry["en"], "zh": entry["zh"]}, entry["color"], entry.get("visible", True)
        )
        for name, entry in tomllib.loads(text).items()
    }
