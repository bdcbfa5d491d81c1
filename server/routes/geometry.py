"""Geometry taken out of a layer: elements as mesh files, sections as drawings."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from cim_core.mesh_file import MeshFormat
from cim_core.store import features as store
from server.documented import LayerPath, VersionQuery, documented, returns
from server.extraction import Files, extract, storey_id, version_of, zipped
from server.parameters import parse_bbox
from server.sections import SectionFormat, Where, section
from server.state import CityDep, ExportCityDep, StateDep, TakingDep

router = APIRouter(tags=["geometry"])

_MEDIA_TYPES = {
    "glb": "model/gltf-binary", "ply": "application/ply", "zip": "application/zip",
    "svg": "image/svg+xml", "dxf": "image/vnd.dxf", "png": "image/png",
    "json": "application/json",
}  # fmt: skip
_MESHES = {_MEDIA_TYPES[ending]: None for ending in ("glb", "ply", "zip")}
_DRAWINGS = {
    **{_MEDIA_TYPES[ending]: None for ending in ("svg", "dxf", "png")},
    _MEDIA_TYPES["json"]: "Section",
}
_NAMED = ("Content-Disposition", "X-Export-Id")
_SHOWN = ("svg", "png", "json")
"""What browsers show rather than save."""

ClassQuery = Annotated[str | None, Query(alias="class")]
CrsQuery = Annotated[str | None, Query(description="a projected system; else the layer's frame")]


@router.get(
    "/collections/{layer}/geometry",
    summary="Elements of a layer as a mesh file",
    **documented("export", returns(_MESHES, headers=_NAMED), problems=(404, 409, 413)),
)
def get_geometry(
    layer: LayerPath,
    city: ExportCityDep,
    state: StateDep,
    taking: TakingDep,
    f: MeshFormat = "glb",
    ids: Annotated[str | None, Query(description="feature ids with commas between")] = None,
    bbox: Annotated[str | None, Query(description="w,s,e,n or w,s,zmin,e,n,zmax")] = None,
    feature_class: ClassQuery = None,
    storey: str | None = None,
    crs: CrsQuery = None,
    version: VersionQuery = None,
) -> Response:
    """The elements that match, as GLB, PLY or, with its materials in a zip, OBJ."""
    known = version_of(city, layer, version)
    box, heights = parse_bbox(bbox)
    query = store.Query(
        bbox=box, heights=heights, feature_class=feature_class,
        storey=None if storey is None else storey_id(known, storey),
        ids=None if ids is None else tuple(part for part in ids.split(",") if part),
    )  # fmt: skip
    at_most = state.settings.max_triangles
    taken = taking.of(known)
    return _answer(extract(city, known, query, f, crs=crs, at_most=at_most, taken=taken))


@router.get(
    "/collections/{layer}/geometry/{item:path}",
    summary="One element as a mesh file",
    **documented("export", returns(_MESHES, headers=_NAMED), problems=(404, 409, 413)),
)
def get_item_geometry(
    layer: LayerPath,
    item: str,
    city: ExportCityDep,
    state: StateDep,
    taking: TakingDep,
    f: MeshFormat = "glb",
    crs: CrsQuery = None,
    version: VersionQuery = None,
) -> Response:
    """One element, whatever its id looks like, as GLB, PLY or, with its materials in a zip, OBJ."""
    known = version_of(city, layer, version)
    query = store.Query(ids=(item,))
    at_most = state.settings.max_triangles
    taken = taking.of(known)
    return _answer(extract(city, known, query, f, crs=crs, at_most=at_most, taken=taken))


@router.get(
    "/collections/{layer}/section",
    summary="A section of a layer",
    **documented("read", returns(_DRAWINGS, headers=_NAMED), problems=(404, 409, 413, 503)),
)
def get_section(
    layer: LayerPath,
    city: CityDep,
    export_city: ExportCityDep,
    state: StateDep,
    taking: TakingDep,
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
    shown = f in _SHOWN
    if not shown:
        taking.require(layer)
    seen = city if shown else export_city
    known = version_of(seen, layer, version)
    at_most, taken = state.settings.max_triangles, taking.of(known, shown=shown)
    return _answer(
        section(seen, known, where, f, feature_class=feature_class, at_most=at_most, taken=taken)
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
