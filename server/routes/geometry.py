"""Geometry taken out of a layer: elements as mesh files, sections as drawings."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from cim_core.mesh_file import MeshFormat
from cim_core.store import features as store
from server.extraction import Files, extract, storey_id, version_of, zipped
from server.parameters import parse_bbox
from server.sections import SectionFormat, Where, section
from server.state import StateDep

router = APIRouter(tags=["geometry"])

_MEDIA_TYPES = {
    "glb": "model/gltf-binary", "ply": "application/ply", "zip": "application/zip",
    "svg": "image/svg+xml", "dxf": "image/vnd.dxf", "png": "image/png",
    "json": "application/json",
}  # fmt: skip
_SHOWN = ("svg", "png", "json")
"""What browsers show rather than save."""

VersionQuery = Annotated[int | None, Query(description="a kept version; else the served one")]
ClassQuery = Annotated[str | None, Query(alias="class")]
CrsQuery = Annotated[str | None, Query(description="a projected system; else the layer's frame")]


@router.get("/collections/{layer}/geometry", summary="Elements of a layer as a mesh file")
def get_geometry(
    layer: str,
    state: StateDep,
    f: MeshFormat = "glb",
    ids: Annotated[str | None, Query(description="feature ids with commas between")] = None,
    bbox: Annotated[str | None, Query(description="w,s,e,n or w,s,zmin,e,n,zmax")] = None,
    feature_class: ClassQuery = None,
    storey: str | None = None,
    crs: CrsQuery = None,
    version: VersionQuery = None,
) -> Response:
    """The elements that match, as GLB, PLY or, with its materials in a zip, OBJ."""
    known = version_of(state.city, layer, version)
    box, heights = parse_bbox(bbox)
    query = store.Query(
        bbox=box, heights=heights, feature_class=feature_class,
        storey=None if storey is None else storey_id(known, storey),
        ids=None if ids is None else tuple(part for part in ids.split(",") if part),
    )  # fmt: skip
    at_most = state.settings.max_triangles
    return _answer(extract(state.city, known, query, f, crs=crs, at_most=at_most))


@router.get("/collections/{layer}/geometry/{item:path}", summary="One element as a mesh file")
def get_item_geometry(
    layer: str,
    item: str,
    state: StateDep,
    f: MeshFormat = "glb",
    crs: CrsQuery = None,
    version: VersionQuery = None,
) -> Response:
    """One element, whatever its id looks like, as GLB, PLY or, with its materials in a zip, OBJ."""
    known = version_of(state.city, layer, version)
    query = store.Query(ids=(item,))
    at_most = state.settings.max_triangles
    return _answer(extract(state.city, known, query, f, crs=crs, at_most=at_most))


@router.get("/collections/{layer}/section", summary="A section of a layer")
def get_section(
    layer: str,
    state: StateDep,
    f: SectionFormat = "svg",
    height: Annotated[float | None, Query(description="a level plane, metres")] = None,
    storey: Annotated[str | None, Query(description="a level plane over this storey")] = None,
    above: Annotated[float, Query(description="so many metres over the storey")] = 1.2,
    line: Annotated[str | None, Query(description="an upright plane, lon,lat,lon,lat")] = None,
    point: Annotated[str | None, Query(description="any plane, lon,lat,height")] = None,
    normal: Annotated[str | None, Query(description="and its direction, east,north,up")] = None,
    feature_class: ClassQuery = None,
    version: VersionQuery = None,
) -> Response:
    """What a plane meets of a layer, drawn to scale: SVG, DXF, PNG, or the outlines as JSON."""
    where = Where(height, storey, above, line, point, normal)
    known = version_of(state.city, layer, version)
    at_most = state.settings.max_triangles
    return _answer(
        section(state.city, known, where, f, feature_class=feature_class, at_most=at_most)
    )


def _answer(files: Files) -> Response:
    """One file as it is, several that belong together as a zip archive."""
    [(name, content), *others] = files.items()
    if others:
        name, content = f"{name.rpartition('.')[0]}.zip", zipped(files)
    ending = name.rpartition(".")[2]
    how = "inline" if ending in _SHOWN else "attachment"
    headers = {"content-disposition": f'{how}; filename="{name}"', "cache-control": "no-cache"}
    return Response(content, headers=headers, media_type=_MEDIA_TYPES[ending])
