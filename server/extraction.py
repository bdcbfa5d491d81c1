"""Geometry taken out of a city: elements of a layer as files for other programs."""

import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import replace

from cim_core import mesh_file
from cim_core.city import City
from cim_core.errors import NotFound, TooLarge
from cim_core.feature import Value
from cim_core.frame import Projection
from cim_core.layer import Features, Layer, PipeNetwork
from cim_core.mesh_file import MeshFormat
from cim_core.store.features import Query
from cim_core.store.layers import LayerVersion
from cim_core.sweep_scene import swept_features
from server.access.taking import Taken

_MOST_PIPES = 200_000
"""Pipes that one request sweeps at most: each becomes a body of its own."""

Files = dict[str, bytes]
"""Files by name; more than one belong together."""


def extract(
    city: City,
    version: LayerVersion,
    query: Query,
    kind: MeshFormat,
    *,
    crs: str | None = None,
    at_most: int | None = None,
    stem: str | None = None,
    taken: Taken | None = None,
) -> Files:
    """The elements that match as one GLB or PLY file, or as an OBJ file with its MTL.

    In the layer's own frame, or in the projected system `crs`. `at_most` is the largest number of
    triangles, `stem` the files' name without ending; `taken` is told what goes out. Raises
    `NotFound` for an id that is not there and where nothing matches, `TooLarge`, and `InvalidInput`
    for a system that cannot be used.
    """
    layer = chosen(city, version, query)
    triangles = sum(_triangles(layer))
    if not triangles:
        raise NotFound(
            f"what matches in the layer {version.layer!r} has outlines and no bodies; take it out "
            "as features"
        )
    check_size(triangles, at_most)
    about = provenance(version, taken and taken([feature.id for feature in layer.features]))
    if crs is None:
        scene = mesh_file.local_scene(layer, about, _shown_system(city, layer))
    else:
        scene = mesh_file.projected_scene(layer, about, city.projection(crs))
    stem = stem or file_stem(
        version.layer, *(query.ids if query.ids and len(query.ids) == 1 else ())
    )
    match kind:
        case "glb":
            return {f"{stem}.glb": mesh_file.write_glb(scene)}
        case "obj":
            return mesh_file.write_obj(scene, stem)
        case "ply":
            return {f"{stem}.ply": mesh_file.write_ply(scene)}


def version_of(city: City, layer: str, number: int | None) -> LayerVersion:
    """A kept version of a layer by its number, the served one without; raises `NotFound`."""
    return city.layers.get(layer) if number is None else city.layers.version(layer, number)


def storey_id(version: LayerVersion, text: str) -> str:
    """The id of a storey that is given by its id or its name; raises `NotFound`."""
    known = {item["id"]: item["name"] for item in version.summary["storeys"] if item["id"]}
    named = [key for key, name in known.items() if name == text]
    if text in known:
        return text
    if len(named) != 1:
        raise NotFound(
            f"{text!r} is not the id, or the one name, of a storey of the layer {version.layer!r}; "
            f"it has {', '.join(known.values()) or '-'}"
        )
    return named[0]


def chosen(city: City, version: LayerVersion, query: Query) -> Layer:
    """What a person means by a query: without spaces, openings and other classes that start hidden.

    Those come along where the query names them by id or class. Raises `NotFound`.
    """
    layer = city.select(version, query)
    placed = _placed(layer)
    features = placed.features
    for feature_id in sorted(set(query.ids or ()) - {feature.id for feature in features}):
        known = city.features.get(version.layer, version.version, feature_id)
        if isinstance(layer.content, PipeNetwork):
            raise NotFound(
                f"the feature {feature_id!r} of the layer {version.layer!r} is not drawn in 3D: its "
                "elevation is not known, or it has no length; ask for others"
            )
        if known.footprint is None:
            raise NotFound(
                f"the feature {feature_id!r} of the layer {version.layer!r} has no geometry of its "
                "own; ask for its parts"
            )
    if query.ids is None and query.feature_class is None:
        styles = layer.class_styles
        features = tuple(item for item in features if styles[item.feature_class].visible)
    if not features:
        raise NotFound(
            f"no element of the layer {version.layer!r} matches; ask for other ids, a wider box or "
            "another class or storey"
        )
    return replace(layer, content=Features(features, placed.meshes))


def _placed(layer: Layer) -> Features:
    """Features with meshes; pipes are swept when they are asked for. Raises `TooLarge`."""
    if not isinstance(layer.content, PipeNetwork):
        return layer.placed
    if len(layer.features) > _MOST_PIPES:
        raise TooLarge(
            f"{len(layer.features)} pipes and nodes would have to be made bodies, and this server "
            f"makes {_MOST_PIPES} at once; ask for a box or for some of them"
        )
    return swept_features(layer.content, layer.frame, layer.class_styles)


def check_size(triangles: int, at_most: int | None) -> None:
    """Raise `TooLarge` where more triangles are asked for than one answer may have."""
    if at_most is not None and triangles > at_most:
        raise TooLarge(
            f"the answer would have {triangles} triangles, and this server gives {at_most} at "
            "once; ask for fewer elements, use `cim extract` or `cim section` on the server, or "
            "raise CIM_MAX_TRIANGLES"
        )


def _triangles(layer: Layer) -> Iterable[int]:
    for feature in layer.features:
        for instance in feature.instances:
            yield len(layer.meshes[instance.mesh_key].triangles)


def _shown_system(city: City, layer: Layer) -> Projection | None:
    """The city's system, to say where the layer's frame lies in it.

    Not where its parameters are secret: a place in both systems is a part of the secret.
    """
    settings = city.settings
    if settings.crs is None or settings.crs_pipeline is not None:
        return None
    system = city.projection(settings.crs)
    return system if system.covers(layer.frame.lon, layer.frame.lat) else None


def provenance(version: LayerVersion, export: str | None = None) -> Mapping[str, Value]:
    """What a file says of where it comes from, and by which export it came out."""
    return {
        "layer": version.layer, "title": version.title, "version": version.version,
        "receipt": version.receipt, **({"export": export} if export else {}),
    }  # fmt: skip


def file_stem(*parts: str) -> str:
    """A file name without ending from ids, with letters that every system takes.

    >>> file_stem("office", "2O2Fr$t4X7/Zf8")
    'office-2O2Fr$t4X7_Zf8'
    """
    return re.sub(r"[^A-Za-z0-9$_.-]+", "_", "-".join(parts))[:120]


def zipped(files: Files) -> bytes:
    """Files as one zip archive; equal files make equal archives."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(info, content)
    return archive.getvalue()
