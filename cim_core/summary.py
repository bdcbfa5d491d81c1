"""What a version says of itself: extent, legend, storeys, counts."""

from collections import Counter
from collections.abc import Iterable

from cim_core.catalogue import default_cim_level
from cim_core.feature import Feature
from cim_core.layer import ClassStyle, Layer
from cim_core.store.features import Extent
from cim_core.store.layer_summary import StoreySummary, Summary, TilesetSummary

_UNKNOWN_CLASS = ClassStyle({}, "#b8b8b4", True)


class Tally:
    """Counts features as they are saved, so that the summary costs no second walk."""

    def __init__(self) -> None:
        self._classes: Counter[str] = Counter()
        self._storeys: Counter[str | None] = Counter()
        self.bbox: list[float] | None = None

    def counted(self, items: Iterable[tuple[Feature, Extent]]) -> Iterable[tuple[Feature, Extent]]:
        """Pass items through, counting those with geometry."""
        for feature, extent in items:
            if extent.bbox is not None:
                self._classes[feature.feature_class] += 1
                storey = feature.attributes.get("storey")
                self._storeys[storey if isinstance(storey, str) else None] += 1
                self._widen(extent.bbox)
            yield feature, extent

    def _widen(self, bbox: tuple[float, ...]) -> None:
        old = self.bbox
        self.bbox = list(bbox) if old is None else (
            [min(a, b) for a, b in zip(old[:3], bbox[:3], strict=True)]
            + [max(a, b) for a, b in zip(old[3:], bbox[3:], strict=True)]
        )  # fmt: skip

    def summary(
        self, layer: Layer, tileset: TilesetSummary, checkin: dict[str, int] | None
    ) -> Summary:
        """The summary of a layer whose features have all been counted."""
        return Summary(
            kind=layer.kind,
            lifecycle=layer.lifecycle,
            level=layer.level,
            cim_level=layer.cim_level or default_cim_level(layer.kind),
            sensitivity=layer.sensitivity,
            frame=[layer.frame.lon, layer.frame.lat, layer.frame.height],
            bbox=self.bbox,
            features=self._classes.total(),
            georeference={
                "method": layer.georeference.method,
                "crs": layer.georeference.crs,
                "note": dict(layer.georeference.note),
            },
            classes={
                name: {
                    "title": dict(style.title) or {"en": name, "zh": name},
                    "count": count,
                    "color": style.color,
                    "visible": style.visible,
                }
                for name, count in sorted(self._classes.items())
                for style in [layer.class_styles.get(name, _UNKNOWN_CLASS)]
            },
            storeys=self._storey_list(layer),
            tile_attributes=list(layer.tile_attributes),
            tileset=tileset,
            checkin=checkin,
        )

    def _storey_list(self, layer: Layer) -> list[StoreySummary]:
        storeys: list[StoreySummary] = []
        for feature in layer.features:
            if feature.id not in self._storeys:
                continue
            elevation = feature.attributes.get("elevation")
            storeys.append(
                {
                    "id": feature.id,
                    "name": feature.name,
                    "elevation": float(elevation) if isinstance(elevation, int | float) else None,
                    "count": self._storeys[feature.id],
                }
            )
        storeys.sort(key=lambda s: (s["elevation"] is None, s["elevation"] or 0.0, s["name"]))
        if self._storeys[None]:
            storeys.append(
                {"id": None, "name": "", "elevation": None, "count": self._storeys[None]}
            )
        return storeys
