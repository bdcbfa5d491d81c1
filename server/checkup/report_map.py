"""The map of an indicator for a page: units by whether they meet the target, else by their value."""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from analysis.drawing_png import chinese_font
from server.checkup.reading import UnitValues
from tiles.map_picture import Area, draw_plan

_WIDE = 1080
"""Pixels: nine for a millimetre of the page."""
_NAMED = 25
"""Up to so many units have their names on the map."""


def draw_map(values: UnitValues, entry: Mapping[str, Any], language: str) -> bytes | None:
    """Units with outlines in their colours, PNG; None where there are none.

    What is not known has no colour.
    """
    units = values.units
    drawn = [at for at, shape in enumerate(units.shapes) if not shape.is_empty]
    if not drawn:
        return None
    font = chinese_font()
    spoken = language if font else "en"  # without a font, what Latin letters can say
    rows = values.rows()
    judged = any(row["met"] is not None for row in rows)
    colors = _by_target(rows) if judged else _by_value(rows)
    few = len(drawn) <= _NAMED
    areas = [
        Area(units.shapes[at], colors[at], str(units.names[at].get(spoken, "")) if few else "")
        for at in drawn
    ]
    legend = _of_target(rows, spoken) if judged else _of_value(rows, entry)
    return draw_plan(areas, legend, font, _WIDE)


def breaks(values: Sequence[float]) -> list[float]:
    """The bounds of classes with about as many values in each, without doubles.

    >>> breaks([1.0, 2.0, 3.0, 4.0]), breaks([5.0, 5.0])
    ([1.0, 1.75, 2.5, 3.25, 4.0], [5.0])
    """
    if not values:
        return []
    found = np.quantile(np.array(values), np.linspace(0.0, 1.0, len(_colors()["classes"]) + 1))
    return [float(one) for one in np.unique(found)]


def _by_target(rows: Sequence[Mapping[str, Any]]) -> list[str | None]:
    named = {True: "met", False: "failed"}
    return [None if row["met"] is None else _colors()[named[row["met"]]] for row in rows]


def _by_value(rows: Sequence[Mapping[str, Any]]) -> list[str | None]:
    classes = _colors()["classes"]
    bounds = breaks([row["value"] for row in rows if row["value"] is not None])
    inner = bounds[1:-1]
    return [
        None
        if row["value"] is None
        else classes[int(np.searchsorted(inner, row["value"], "right"))]
        for row in rows
    ]


def _of_target(rows: Sequence[Mapping[str, Any]], language: str) -> list[tuple[str, str]]:
    words = _table()["word"]
    return [
        (_colors()[name], f"{words[name][language]} {sum(row['met'] is judged for row in rows)}")
        for name, judged in (("met", True), ("failed", False))
    ]


def _of_value(rows: Sequence[Mapping[str, Any]], entry: Mapping[str, Any]) -> list[tuple[str, str]]:
    bounds = breaks([row["value"] for row in rows if row["value"] is not None])
    digits = int(entry["decimals"])
    if len(bounds) < 2:
        return [(_colors()["classes"][0], f"{one:.{digits}f}") for one in bounds]
    return [
        (color, f"{low:.{digits}f} – {high:.{digits}f}")
        for color, low, high in zip(_colors()["classes"], bounds[:-1], bounds[1:], strict=False)
    ]


def _colors() -> dict[str, Any]:
    found: dict[str, Any] = _table()["color"]
    return found


@cache
def _table() -> dict[str, Any]:
    text = files("server.checkup").joinpath("report.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
