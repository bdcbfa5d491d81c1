"""Cities drawn for a check-up: every layer in metres from a corner, so that values follow by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pydantic import TypeAdapter

from analysis.checkup.formulas import Formula
from analysis.checkup.indicator import Indicator, IndicatorSet
from analysis.checkup.measured import By, Measured
from analysis.checkup.operators import OPERATORS
from analysis.checkup.roles import city_roles
from analysis.checkup.scene import Scene
from cim_core.city import City
from cim_core.feature import Value
from tests.support.layers import GUANGZHOU
from tests.support.renewal_twin import ground, publish_shapes

Drawn = tuple[str, shapely.Geometry, Mapping[str, Value]]
"""Id, shape in metres from the corner, attributes."""

SQUARE = shapely.box(0, 0, 1000, 1000)


def draw(city: City, layer: str, things: Sequence[Drawn]) -> None:
    """Make things the newest version of a layer."""
    publish_shapes(
        city, layer, [(key, "thing", ground(shape), said) for key, shape, said in things]
    )


def drawn(folder: Path, **layers: Sequence[Drawn]) -> City:
    """A city of layers, `_` in a name standing for `-`; one town of 1 km² where none is given."""
    city = City.open_or_create(folder)
    city.settle(GUANGZHOU, "EPSG:4547")
    layers = {"towns": [("t", SQUARE, {})], **layers}
    for name, things in layers.items():
        draw(city, name.replace("_", "-"), things)
    return city


def scene_of(city: City) -> Scene:
    """What a check-up sees of a city."""
    return Scene(city, city_roles(city))


def formula(**told: Any) -> Any:
    """A formula as a file has it."""
    return TypeAdapter(Formula).validate_python(told)


def measured(scene: Scene, by: By = "district", **told: Any) -> Measured:
    """What a formula comes to."""
    return OPERATORS[told["operator"]](formula(**told), scene, scene.units(by))


def value(scene: Scene, **told: Any) -> float:
    """What a formula comes to in the district; it has to be ready."""
    found = measured(scene, **told)
    assert found.status == ("ready",), found.reason
    assert found.reason == ("",)
    return float(found.value[0])


def indicator(code: str, by: Sequence[str] = ("town", "community"), **told: Any) -> Indicator:
    """An indicator of a formula, which says nothing else of note."""
    text = {"en": code, "zh": code}
    return Indicator.model_validate(
        {
            "code": code, "name": text, "level": "city", "dimension": "d", "unit": "%",
            "unit_zh": "%", "direction": "higher", "department": text, "explanation": text,
            "formula": told, "by": tuple(by),
        }
    )  # fmt: skip


def a_set(*indicators: Indicator) -> IndicatorSet:
    """A set of some indicators."""
    text = {"en": "d", "zh": "d"}
    return IndicatorSet.model_validate(
        {
            "id": "own", "system": "own", "year": 2025, "name": text, "source": "",
            "dimensions": {"d": text}, "indicators": indicators,
        }
    )  # fmt: skip


def box(west: float, south: float, wide: float, deep: float) -> shapely.Geometry:
    """A rectangle in metres from the corner."""
    return shapely.box(west, south, west + wide, south + deep)


def point(x: float, y: float) -> shapely.Geometry:
    """A point in metres from the corner."""
    return shapely.Point(x, y)


def line(*points: tuple[float, float]) -> shapely.Geometry:
    """A line in metres from the corner."""
    return shapely.LineString(points)


def dense(area: shapely.Geometry, step: float) -> np.ndarray:
    """Points all over an area, `step` metres apart."""
    west, south, east, north = area.bounds
    x, y = np.meshgrid(
        np.arange(west + step / 2, east, step), np.arange(south + step / 2, north, step)
    )
    points = shapely.points(x.ravel(), y.ravel())
    return points[shapely.intersects(area, points)]
