"""CityJSON and CityJSONSeq: buildings and other things of a city with their surfaces."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cim_core.errors import InvalidInput
from cim_core.feature import Feature, Instance
from cim_core.frame import Frame, linearised
from cim_core.importers.attributes import (
    first_of,
    property_set,
    scalars,
    unique_ids,
    worth_styling,
)
from cim_core.importers.cityjson_file import Block, blocks, looks_like_cityjson, read_head
from cim_core.importers.cityjson_geometry import Faces, Malformed, chosen, faces, instance_of
from cim_core.importers.placing import corners_of, frame_near, place_of
from cim_core.importers.styles import class_styles, material
from cim_core.layer import Dropped, Features, Layer, Placement, Source
from cim_core.mesh import Floats, Material, Mesh
from cim_core.progress import Progress

_FIRST_ATTRIBUTES = ("measuredHeight", "storeysAboveGround", "function", "usage", "roofType")
_NAMES = ("name", "gml:name", "gml_name", "naam", "名称")

_CIM_LEVELS = {"0": 1, "1": 2, "2": 3, "3": 4}
"""A frame model, a standard model, a fine model (CIM levels by what they show)."""

_BROKEN = "its geometry is not laid out as CityJSON has it; check it with `cjval`"
_NOT_AT_LEVEL = "it has no geometry of the level of detail asked for, or a lower one"
_NO_SURFACE = "none of its surfaces can be filled"
_NO_GEOMETRY = "it has no geometry"
_ONLY_POINTS = "its geometry is points or lines only, which are not drawn"


@dataclass(frozen=True, slots=True)
class CityJsonImporter:
    """Reads CityJSON 1.1 and 2.0; the option `lod` says which level of detail is taken."""

    def recognises(self, path: Path) -> bool:
        """Whether it begins as CityJSON does."""
        return path.is_file() and looks_like_cityjson(path)

    def __call__(self, source: Source, placement: Placement, progress: Progress) -> Layer:
        """Import a file; what is broken in it is reported in the layer, not raised.

        Raises `InvalidInput` or `UnsupportedFormat` when the file as a whole cannot be imported.
        """
        progress(0, 0, "reading")
        head = read_head(source.path, source.filename)
        reading: _Reading | None = None
        waiting: list[Block] = []
        for block in blocks(source.path, source.filename, head):
            if reading is None:
                waiting.append(block)
                if len(block.vertices) == 0:  # nothing yet to say where the file lies
                    continue
                corners = corners_of(block.vertices)
                place = place_of(source, placement, head.crs, corners, heights=True)
                middle = place.to_geographic(np.median(block.vertices, axis=0)[None, :])[0]
                reading = _Reading(place.to_geographic, frame_near(middle, placement), source, progress)  # fmt: skip
                for earlier in waiting:
                    reading.take(earlier)
            else:
                reading.take(block)
        if reading is None or not reading.meshes:
            raise InvalidInput(
                f"no object of {source.filename} has geometry that can be drawn; export it again "
                "with surfaces or solids"
            )
        return reading.layer(place.georeference, place.warnings)


@dataclass(slots=True)
class _Thing:
    """A city object on its way to a feature."""

    id: str
    kind: str
    parent: str | None
    attributes: Mapping[str, Any]
    instances: tuple[Instance, ...]


@dataclass(slots=True)
class _Reading:
    """What has been read so far."""

    to_geographic: Callable[[Floats], Floats]
    frame: Frame
    source: Source
    progress: Progress
    meshes: dict[str, Mesh] = field(default_factory=dict)
    things: list[_Thing] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    levels: Counter[str] = field(default_factory=Counter)
    crossing: Counter[str] = field(default_factory=Counter)
    flat: int = 0
    textures: int = 0
    templates: dict[tuple[int, int], list[Mesh]] = field(default_factory=dict)
    plain: dict[str, Material] = field(default_factory=dict)

    def take(self, block: Block) -> None:
        """Take the objects of a block."""
        positions = self._to_frame(block.vertices)
        self.textures = max(self.textures, len(block.appearance.get("textures") or ()))
        parents = {
            child: key
            for key, item in block.objects.items()
            if isinstance(item, dict)
            for child in item.get("children") or ()
            if isinstance(child, str)
        }
        for number, (key, item) in enumerate(block.objects.items()):
            if number % 100 == 0:
                self.progress(number, len(block.objects), "geometry")
            if not isinstance(item, dict):
                self.dropped.append(Dropped(key, "", _BROKEN))
                continue
            self._take(block, positions, key, item, parents)

    def _take(
        self, block: Block, positions: Floats, key: str, item: Mapping[str, Any],
        parents: Mapping[str, str],
    ) -> None:  # fmt: skip
        kind = str(item.get("type", "GenericCityObject"))
        given = item.get("geometry") or []
        instances: tuple[Instance, ...] = ()
        try:
            if given:
                instances = self._instances(block, positions, kind, key, given)
            elif not item.get("children"):
                raise _LeftOut(_NO_GEOMETRY)
        except (Malformed, KeyError, TypeError, AttributeError) as error:
            reason = str(error) if isinstance(error, _LeftOut) else _BROKEN
            self.dropped.append(Dropped(key, kind, reason))
            if not item.get("children"):
                return
        own = item.get("attributes")
        attributes = own if isinstance(own, dict) else {}
        named = item.get("parents") or [None]
        parent = named[0] if isinstance(named[0], str) else parents.get(key)
        self.things.append(_Thing(key, kind, parent, attributes, instances))

    def _instances(
        self, block: Block, positions: Floats, kind: str, key: str,
        given: Sequence[Mapping[str, Any]],
    ) -> tuple[Instance, ...]:  # fmt: skip
        templates = block.templates.get("templates") or []
        level, taken = chosen(given, templates, self.source.options.get("lod"))
        if not taken:
            raise _LeftOut(_ONLY_POINTS if level else _NOT_AT_LEVEL)
        found: list[Instance] = []
        for geometry in taken:
            if geometry["type"] == "GeometryInstance":
                found += self._templates(block, kind, key, geometry)
            else:
                drawn = faces(geometry, positions, block.appearance, self._plain(kind))
                self._count(key, drawn)
                found += self._placed(drawn, positions)
        if not found:
            raise _LeftOut(_NO_SURFACE)
        self.levels[level] += 1
        return tuple(found)

    def _placed(self, drawn: Faces, positions: Floats) -> list[Instance]:
        """Meshes around a point of their own, so that coordinates stay small."""
        meshes = drawn.meshes(positions)
        if not meshes:
            return []
        origin = np.round(np.mean([mesh.positions.mean(axis=0) for mesh in meshes], axis=0))
        matrix = np.eye(4)
        matrix[:3, 3] = origin
        return [
            Instance(self._keep(Mesh(m.positions - origin, m.triangles, m.material)), matrix)
            for m in meshes
        ]

    def _templates(
        self, block: Block, kind: str, key: str, geometry: Mapping[str, Any]
    ) -> list[Instance]:
        templates = block.templates["templates"]
        number, matrix, place = instance_of(geometry, templates, block.vertices)
        known = id(templates), number
        if known not in self.templates:
            local = np.array(block.templates["vertices-templates"], np.float64).reshape(-1, 3)
            drawn = faces(templates[number], local, block.appearance, self._plain(kind))
            self._count(key, drawn)
            self.templates[known] = drawn.meshes(local)
        around = linearised(self._to_frame, place[None, :])[0]
        shift = np.eye(4)
        shift[:3, 3] = place
        transform = around @ shift @ matrix
        return [Instance(self._keep(mesh), transform) for mesh in self.templates[known]]

    def _keep(self, mesh: Mesh) -> str:
        key = mesh.key()
        self.meshes.setdefault(key, mesh)
        return key

    def _count(self, key: str, drawn: Faces) -> None:
        self.flat += drawn.flat
        if drawn.crossing:
            self.crossing[key] += drawn.crossing

    def _plain(self, kind: str) -> Material:
        if kind not in self.plain:
            self.plain[kind] = material(kind, class_styles([kind])[kind].color)
        return self.plain[kind]

    def _to_frame(self, points: Floats) -> Floats:
        return self.frame.from_geographic(self.to_geographic(points))

    def layer(self, georeference: Any, warnings: tuple[str, ...]) -> Layer:
        """The layer of all that was read."""
        ids = unique_ids(thing.id for thing in self.things)
        known = set(ids)
        features = tuple(
            Feature(
                feature_id, thing.kind, str(first_of(thing.attributes, _NAMES) or thing.id),
                thing.parent if thing.parent in known else None, scalars(thing.attributes),
                property_set("CityJSON", thing.attributes), thing.instances,
            )
            for feature_id, thing in zip(ids, self.things, strict=True)
        )  # fmt: skip
        level = self.levels.most_common(1)[0][0]
        return Layer(
            id=self.source.layer_id,
            title=self.source.title,
            frame=self.frame,
            content=Features(tuple(sorted(features, key=lambda feature: feature.id)), self.meshes),
            georeference=georeference,
            tile_attributes=worth_styling(features, _FIRST_ATTRIBUTES),
            class_styles=class_styles({feature.feature_class for feature in features}),
            cim_level=_CIM_LEVELS.get(level[:1], 2),
            dropped=tuple(self.dropped),
            warnings=(*warnings, *self._warnings(ids)),
        )

    def _warnings(self, ids: Sequence[str]) -> list[str]:
        warnings: list[str] = []
        if self.crossing:
            worst, most = self.crossing.most_common(1)[0]
            warnings.append(
                f"{self.crossing.total()} surfaces of {len(self.crossing)} objects were left out, since "
                f"their outlines cross themselves; most of them ({most}) are of {worst}"
            )
        if self.flat:
            warnings.append(f"{self.flat} surfaces without area were left out")
        if self.textures:
            warnings.append(
                f"it names {self.textures} pictures for its surfaces; they are not drawn, the "
                "surfaces have the colours of their kind"
            )
        doubles = len(ids) - len({thing.id for thing in self.things})
        if doubles:
            warnings.append(
                f"{doubles} objects have the id of another; they were numbered with ~2, ~3, …"
            )
        return warnings


class _LeftOut(Malformed):
    """An object that is not drawn; its text says why."""
