"""A sketch: shapes in space that show what an answer is made of, such as where a setback is broken."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import shapely

from cim_core.feature import Value

_DIGITS = 9
_METRES_DIGITS = 3

Words = Mapping[str, str]
"""Something said in English and Chinese, by "en" and "zh"."""


@dataclass(frozen=True, slots=True)
class SketchClass:
    """What the shapes of a class are, and their colour ("#rrggbb") where no scale colours them."""

    title: Words
    color: str


@dataclass(frozen=True, slots=True)
class Scale:
    """Colours of values: `colors` is one longer than `limits`, which ascend.

    A value has the colour after the last limit that it reaches.

    >>> Scale({"en": "Sun", "zh": "日照"}, "h", (1.0, 2.0), ("#a00000", "#00a000", "#0000a0")).color(1.0)
    '#00a000'
    """

    title: Words
    unit: str
    limits: tuple[float, ...]
    colors: tuple[str, ...]

    def color(self, value: float) -> str:
        """The colour of a value."""
        return self.colors[bisect_right(self.limits, value)]

    def as_dict(self) -> dict[str, Value]:
        """The scale as it is served."""
        return {
            "title": self.title["en"], "title_zh": self.title["zh"], "unit": self.unit,
            "limits": list(self.limits), "colors": list(self.colors),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class SketchShape:
    """One shape of a sketch.

    id
        Unique in the sketch; rows of tables name it in a column of the type "sketch".
    shape
        Any geometry in longitude and latitude. Where it has heights, they are metres in the city's
        vertical datum; where it has none and no `bottom` either, it lies on the ground.
    bottom, top
        Metres in the city's vertical datum: an area becomes a prism between them. With `bottom`
        alone it lies level there.
    value
        What the scale colours it by; None leaves it to its class.
    """

    id: str
    kind: str
    shape: shapely.Geometry
    label: Words | None = None
    value: float | None = None
    bottom: float | None = None
    top: float | None = None


@dataclass(frozen=True, slots=True)
class Sketch:
    """Shapes, the classes they are of, and the scale of their values.

    Later shapes lie over earlier ones.
    """

    shapes: tuple[SketchShape, ...]
    classes: Mapping[str, SketchClass]
    scale: Scale | None = None

    def as_dict(self) -> dict[str, Value]:
        """The sketch as it is served: a GeoJSON FeatureCollection with its legend beside it."""
        counts = Counter(one.kind for one in self.shapes)
        return {
            "type": "FeatureCollection",
            "features": [self._feature(one) for one in self.shapes],
            "classes": [
                {
                    "class": kind, "title": known.title["en"], "title_zh": known.title["zh"],
                    "color": known.color, "count": counts[kind],
                }
                for kind, known in self.classes.items()
                if counts[kind]
            ],
            "scale": None if self.scale is None else self.scale.as_dict(),
        }  # fmt: skip

    def _feature(self, one: SketchShape) -> Value:
        color = self.classes[one.kind].color
        if self.scale is not None and one.value is not None:
            color = self.scale.color(one.value)
        label: Mapping[str, str] = one.label or {}
        return {
            "type": "Feature",
            "id": one.id,
            "geometry": _geometry(one.shape),
            "properties": {
                "class": one.kind, "label": label.get("en"), "label_zh": label.get("zh"),
                "value": one.value, "color": color,
                "bottom": _metres(one.bottom), "top": _metres(one.top),
            },
        }  # fmt: skip


def _metres(value: float | None) -> float | None:
    return None if value is None else round(value, _METRES_DIGITS)


def _geometry(shape: shapely.Geometry) -> Value:
    """A shape as GeoJSON, without digits below a tenth of a millimetre.

    >>> _geometry(shapely.Point(113.4600000000123, 23.1, 4.00000001))
    {'type': 'Point', 'coordinates': [113.46, 23.1, 4.0]}
    """

    def rounded(part: object) -> Value:
        if isinstance(part, tuple | list):
            if part and isinstance(part[0], float | int):
                return [
                    round(float(number), _DIGITS if axis < 2 else _METRES_DIGITS)
                    for axis, number in enumerate(part)
                ]
            return [rounded(inner) for inner in part]
        raise AssertionError(part)

    def plain(mapped: Mapping[str, object]) -> Value:
        if "geometries" in mapped:
            inner = mapped["geometries"]
            assert isinstance(inner, tuple | list)
            return {"type": str(mapped["type"]), "geometries": [plain(part) for part in inner]}
        return {"type": str(mapped["type"]), "coordinates": rounded(mapped["coordinates"])}

    return plain(shapely.geometry.mapping(shape))
