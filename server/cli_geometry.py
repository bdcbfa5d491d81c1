"""`cim extract` and `cim section`: geometry of a layer as files for other programs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeVar, get_args

import typer

from cim_core.city import City
from cim_core.errors import UnsupportedFormat
from cim_core.files import write_whole
from cim_core.mesh_file import MeshFormat
from cim_core.store.features import Query
from server.cli_parts import CityOption
from server.extraction import Files, extract, storey_id, version_of, zipped
from server.parameters import parse_bbox
from server.sections import SectionFormat, Where, section

LayerArgument = Annotated[str, typer.Argument(help="The layer's id.")]
ClassOption = Annotated[str | None, typer.Option("--class", help="Only elements of this class.")]
VersionOption = Annotated[
    int | None, typer.Option("--version", help="A kept version; the served one if not given.")
]

_Format = TypeVar("_Format")
_MESH_ENDINGS: Mapping[str, MeshFormat] = {
    ".glb": "glb", ".obj": "obj", ".zip": "obj", ".ply": "ply",
}  # fmt: skip
_SECTION_ENDINGS: Mapping[str, SectionFormat] = {
    f".{kind}": kind for kind in get_args(SectionFormat)
}


def extract_elements(
    layer: LayerArgument,
    city: CityOption,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The file: .glb, .ply, .obj or .zip (OBJ).")
    ],
    ids: Annotated[
        list[str] | None, typer.Option("--id", help="An element's id; may be given often.")
    ] = None,
    feature_class: ClassOption = None,
    storey: Annotated[
        str | None, typer.Option(help="Only elements of the storey with this id or name.")
    ] = None,
    bbox: Annotated[str | None, typer.Option(help="Only what touches w,s,e,n (degrees).")] = None,
    crs: Annotated[
        str | None, typer.Option(help="Coordinates in this system, EPSG:4547; else the layer's.")
    ] = None,
    version: VersionOption = None,
) -> None:
    """Write elements of a layer as a mesh file."""
    kind = _format(output, _MESH_ENDINGS)
    opened = City.open(city)
    known = version_of(opened, layer, version)
    box, heights = parse_bbox(bbox)
    query = Query(
        bbox=box, heights=heights, feature_class=feature_class,
        storey=None if storey is None else storey_id(known, storey),
        ids=tuple(ids) if ids else None,
    )  # fmt: skip
    _write(output, extract(opened, known, query, kind, crs=crs, stem=output.stem))


def cut_section(
    layer: LayerArgument,
    city: CityOption,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The file: .svg, .dxf, .png or .json.")
    ],
    height: Annotated[
        float | None, typer.Option(help="A level plane, metres above the city's datum.")
    ] = None,
    storey: Annotated[
        str | None, typer.Option(help="A level plane over the storey with this id or name.")
    ] = None,
    above: Annotated[float, typer.Option(help="So many metres over the storey.")] = 1.2,
    line: Annotated[
        str | None, typer.Option(help="An upright plane: lon,lat,lon,lat, its left end first.")
    ] = None,
    point: Annotated[str | None, typer.Option(help="Any plane: lon,lat,height …")] = None,
    normal: Annotated[str | None, typer.Option(help="… and where it faces: east,north,up.")] = None,
    feature_class: ClassOption = None,
    version: VersionOption = None,
) -> None:
    """Cut a layer by a plane and draw what the plane meets."""
    kind = _format(output, _SECTION_ENDINGS)
    opened = City.open(city)
    where = Where(height, storey, above, line, point, normal)
    known = version_of(opened, layer, version)
    _write(output, section(opened, known, where, kind, feature_class=feature_class))


def _format(output: Path, endings: Mapping[str, _Format]) -> _Format:
    kind = endings.get(output.suffix.lower())
    if kind is None:
        raise UnsupportedFormat(
            f"{output.name} cannot be written: its ending says no format known here; give one of "
            f"{', '.join(endings)}"
        )
    return kind


def _write(output: Path, files: Files) -> None:
    """Write what belongs together: in a zip archive, or side by side."""
    if output.suffix.lower() == ".zip":
        write_whole(output, zipped(files))
        return
    for name, content in files.items():
        ending = Path(name).suffix
        write_whole(
            output if ending == output.suffix.lower() else output.with_suffix(ending), content
        )
