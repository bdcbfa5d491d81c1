"""From a file to a published version of a layer."""

import hashlib
import os
import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import cast

from cim_core.about import said_about
from cim_core.city import City
from cim_core.draft import GEOMETRY, TILESET, Draft, contents_of
from cim_core.errors import InvalidInput, TooLarge
from cim_core.feature import Value
from cim_core.frame import Frame
from cim_core.layer import Features, Layer, Source, check_layer_id
from cim_core.mesh import solid_triangles
from cim_core.network_file import SEGMENTS
from cim_core.progress import Progress
from cim_core.receipt import Input, hash_file, write_receipt
from cim_core.work import Crew
from server.checkin import check_in, keep_checkin_of
from server.describe import checkin_summary
from server.importers import importer_for
from server.sources import inputs_of
from server.zh import in_chinese
from tiles import build_tileset, check_tiles

Report = dict[str, Value]
Also = Callable[[sqlite3.Connection, Report], None]


@dataclass(frozen=True, slots=True)
class Upload:
    """What is to be imported, and what the person said about it."""

    path: Path
    filename: str
    layer_id: str
    title: str
    crs: str | None = None
    anchor: tuple[float, float, float] | None = None
    kind: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    def as_parameters(self) -> dict[str, Value]:
        """As a job keeps it."""
        return {
            "path": str(self.path), "filename": self.filename, "layer": self.layer_id,
            "title": self.title, "crs": self.crs,
            "anchor": list(self.anchor) if self.anchor else None, "kind": self.kind,
            "options": dict(self.options),
        }  # fmt: skip

    @classmethod
    def from_parameters(cls, values: Mapping[str, Value]) -> "Upload":
        """What `as_parameters` gave."""
        anchor = values["anchor"]
        lon, lat, height = anchor if isinstance(anchor, list) else (None, None, None)
        return cls(
            Path(str(values["path"])), str(values["filename"]), str(values["layer"]),
            str(values["title"]), None if values["crs"] is None else str(values["crs"]),
            cast("tuple[float, float, float]", (lon, lat, height)) if anchor else None,
            cast("str | None", values.get("kind")),
            cast("dict[str, str]", values.get("options") or {}),
        )  # fmt: skip


def layer_id_for(filename: str) -> str:
    """A layer id from a file's name; a name without Latin letters gets a number of its own.

    >>> layer_id_for("Office A_2011.ifc")
    'office-a_2011'
    """
    stem = PurePath(filename).stem
    slug = re.sub(r"[^a-z0-9_]+", "-", stem.lower()).strip("-_")
    if slug and stem.isascii() and len(slug) <= 63:
        return check_layer_id(slug)
    digest = hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]
    return check_layer_id(f"{slug[:48]}-{digest}".lstrip("-") if slug else f"layer-{digest}")


def parse_anchor(text: str | None) -> tuple[float, float, float] | None:
    """Read lon,lat or lon,lat,height.

    >>> parse_anchor("113.46,23.10")
    (113.46, 23.1, 0.0)
    """
    if not text:
        return None
    try:
        numbers = [float(part) for part in text.split(",")]
        lon, lat, height = numbers if len(numbers) == 3 else (*numbers, 0.0)
    except ValueError as error:
        raise InvalidInput(
            f"anchor={text} is not a place; write longitude,latitude,height, as in 113.46,23.10,0"
        ) from error
    return lon, lat, height


def parse_options(texts: Iterable[str]) -> dict[str, str]:
    """Read name=value, each.

    >>> parse_options(["vertical_unit=foot"])
    {'vertical_unit': 'foot'}
    """
    options = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name.isidentifier() and equals):
            raise InvalidInput(
                f"the option {text!r} cannot be read; write name=value, as in vertical_unit=foot"
            )
        options[name] = value
    return options


def ingest(
    city: City, upload: Upload, crew: Crew, progress: Progress, also: Also | None = None
) -> Report:
    """Import a file, tile it, check the tiles and publish them; all or nothing.

    `also` joins the publishing transaction with the report. Raises `CimError`, of which `Refused`
    says that the city's check-in rules do not let the file in.
    """
    importer = importer_for(upload.filename, upload.path, upload.kind)
    said = said_about(upload.options)
    rules = city.rules
    with city.draft(upload.layer_id, upload.title, progress) as draft:
        draft.said = said
        source = Source(
            upload.path, upload.filename, upload.layer_id, upload.title, crew, rules,
            earlier=city.tessellations(upload.layer_id), scratch=draft.folder,
            ground=city.ground(
                planned=upload.options.get("lifecycle") == "planned", without=upload.layer_id
            ),
            options=upload.options,
        )  # fmt: skip
        inputs = inputs_of(upload.path, upload.filename)
        placement = city.placement(upload.layer_id, upload.crs, upload.anchor)
        try:
            layer = importer(source, placement, progress)
        except (MemoryError, RecursionError) as error:
            raise TooLarge(
                f"{upload.filename} takes more memory than a job may have here; bring it in parts, or "
                "raise CIM_JOB_MEMORY"
            ) from error
        check_in(city, draft, layer, rules, inputs[0])
        parameters: dict[str, Value] = {
            "layer": upload.layer_id, "crs": upload.crs,
            "anchor": list(upload.anchor) if upload.anchor else None,
            "kind": importer.kind, "options": dict(upload.options),
        }  # fmt: skip
        return _publish(city, draft, layer, "import", inputs, parameters, progress, also)


def retile(city: City, layer_id: str, progress: Progress, also: Also | None = None) -> Report:
    """Tile a layer again from what the registry keeps, as a new version; raises `CimError`."""
    title = city.layers.get(layer_id).title
    with city.draft(layer_id, title, progress) as draft:
        # Under the layer's lock: an import that ended meanwhile is what is tiled again.
        before = city.layers.get(layer_id)
        if before.summary.get("kind", "model") not in ("model", "network"):
            raise InvalidInput(
                f"the layer {layer_id!r} is made neither of elements nor of pipes, so its tiles are not made from "
                "the registry; import its file again"
            )
        layer = city.load_version(before)
        layer = replace(layer, tessellations=city.tessellations(layer_id))
        kept = city.layers_folder / layer_id / str(before.version)
        kept /= GEOMETRY if before.summary.get("kind", "model") == "model" else SEGMENTS
        inputs = (hash_file(kept, f"{layer_id} version {before.version}"),)
        keep_checkin_of(city, before, draft)
        return _publish(city, draft, layer, "tile", inputs, {"layer": layer_id}, progress, also)


def _publish(
    city: City, draft: Draft, layer: Layer, kind: str, inputs: tuple[Input, ...],
    parameters: Mapping[str, Value], progress: Progress, also: Also | None,
) -> Report:  # fmt: skip
    draft.save(layer, city.settings.geoid_separation, progress)
    tileset = draft.folder / TILESET
    # Tiling again on purpose makes every tile again, in case one was damaged.
    before = _served(city, layer.id) if kind == "import" else None
    before = before if before is not None and before.is_file() else None
    summary = build_tileset(layer, draft.content, tileset, progress, before=before)
    known = frozenset(contents_of(before)) if before else frozenset()
    drawn = tileset.is_file()
    if drawn:
        check_tiles(layer, tileset, _drawn(layer), progress, known=known)
    progress(0, 0, "publishing")
    outputs: dict[str, Value] = {
        "layer": layer.id, "version": draft.version,
        "tileset_sha256": hash_file(tileset, TILESET).sha256 if drawn else None,
    }  # fmt: skip
    georeference: dict[str, Value] = {
        "method": layer.georeference.method, "crs": layer.georeference.crs,
        "frame": [layer.frame.lon, layer.frame.lat, layer.frame.height],
        "geoid_separation": city.settings.geoid_separation,
    }  # fmt: skip
    receipt = write_receipt(
        kind, inputs, {**parameters, "georeference": georeference}, outputs, who=city.who
    )
    effort = layer.effort
    report: Report = {
        "layer": layer.id,
        "version": draft.version,
        "features": len(_drawn(layer)) or sum(f.shape is not None for f in layer.features),
        "reused": effort.reused if effort else None,
        "tessellated": effort.tessellated if effort else None,
        "dropped": [
            {
                "id": item.id,
                "class": item.feature_class,
                "reason": item.reason,
                "reason_zh": in_chinese(item.reason),
            }
            for item in layer.dropped
        ],
        "georeference": {
            "method": layer.georeference.method,
            "crs": layer.georeference.crs,
            "note": dict(layer.georeference.note),
        },
        "tileset": f"/t/{layer.id}/{draft.version}/{TILESET}" if drawn else None,
        "tiles": {key: value for key, value in summary.items() if isinstance(value, int | float)},
        "bytes": summary["bytes"],
        "receipt": receipt.id,
        "checkin": checkin_summary(layer.id, draft.version, draft.checkin),
        "warnings": list(layer.warnings),
        "warnings_zh": [in_chinese(warning) for warning in layer.warnings],
    }
    if layer.georeference.method != "none":
        city.settle(_ground(layer, draft, city.settings.geoid_separation), layer.georeference.crs)
    draft.publish(
        layer, summary, receipt, (lambda connection: also(connection, report)) if also else None
    )
    return report


def _served(city: City, layer_id: str) -> Path | None:
    """The tileset.json of the version that is served now; None for a new layer."""
    for version in city.layers.current():
        if version.layer == layer_id:
            return city.layers_folder / layer_id / str(version.version) / TILESET
    return None


def _ground(layer: Layer, draft: Draft, geoid_separation: float) -> Frame:
    """The place of a layer at the height of its lowest part: where a city without one begins."""
    bottom = draft.bbox[2] if draft.bbox else 0.0
    return Frame(layer.frame.lon, layer.frame.lat, round(bottom + geoid_separation, 2))


def _drawn(layer: Layer) -> list[str]:
    """The ids of the features that have something to draw."""
    match layer.content:
        case Features(features, meshes):
            solid = {key for key, part in solid_triangles(meshes).items() if part.any()}
            return [f.id for f in features if any(i.mesh_key in solid for i in f.instances)]
        case files:
            return [f.id for f in files.features]
