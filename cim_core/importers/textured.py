"""Textured models: what drones and scanners make, as one GLB at its place."""

import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from cim_core.archives import bring_in, default_limits, names_in
from cim_core.errors import InvalidInput
from cim_core.feature import Feature
from cim_core.files import write_whole
from cim_core.frame import Frame
from cim_core.importers.placing import corners_of, frame_near, place_of
from cim_core.importers.styles import class_styles
from cim_core.importers.textured_file import ENDINGS, Model, read_model, write_model
from cim_core.layer import FILES, Layer, Placement, Source, TexturedModel
from cim_core.mesh import Floats
from cim_core.progress import Progress

_CLASS = "TexturedModel"
_CIM_LEVEL = 3
"""Bodies with their texture."""

_ENOUGH = 100_000
"""Vertices from which the outline is found; it is the convex one anyway."""


@dataclass(frozen=True, slots=True)
class TexturedImporter:
    """Reads OBJ, PLY, glTF and GLB, alone or in a zip archive with their pictures.

    Options: `offset` (what to add to its coordinates, "x,y,z"), `up` ("y" or "z", the axis that
    points to the sky; glTF says y, the others are taken to mean z), `vertical_unit` and
    `vertical_crs`. It stands at the anchor, or where its coordinates are in the system given.
    """

    def recognises(self, path: Path) -> bool:
        """Whether it is a model, or an archive that holds one and no tileset."""
        if path.suffix.lower() != ".zip":
            return path.suffix.lower() in ENDINGS
        names = [name.lower() for name in names_in(path)]
        return any(name.endswith(ENDINGS) for name in names) and not any(
            name.endswith("tileset.json") for name in names
        )

    def __call__(self, source: Source, placement: Placement, progress: Progress) -> Layer:
        """Import a model; pictures that are missing are reported in the layer.

        Raises `InvalidInput` when it cannot be read or nobody says where it stands.
        """
        assert source.scratch is not None, "a model needs a folder to go to"
        progress(0, 0, "reading")
        if placement.anchor is None and placement.crs is None:
            raise InvalidInput(
                f"{source.filename} does not say where it stands; give --anchor lon,lat,height, or "
                "the reference system of its coordinates with --crs and the option offset"
            )
        path, unpacked = _model_file(source, progress)
        try:
            model = read_model(path, source.filename)
        finally:
            if unpacked is not None:
                shutil.rmtree(unpacked)
        upright = _upright(source, path.suffix.lower())
        points = upright(model.points)
        place = place_of(source, placement, None, corners_of(points), heights=True)
        middle = place.to_geographic(corners_of(points).mean(axis=0)[None, :])[0]
        frame = frame_near(middle, placement)

        def to_frame(vertices: Floats) -> Floats:
            return frame.from_geographic(place.to_geographic(upright(vertices)))

        progress(0, 1, "geometry")
        feature = _feature(source, model, to_frame(points), frame, placement.geoid_separation)
        file = source.scratch / FILES / "model.glb"
        file.parent.mkdir(exist_ok=True)
        write_whole(file, write_model(model, to_frame))
        progress(1, 1, "geometry")
        return Layer(
            id=source.layer_id,
            title=source.title,
            frame=frame,
            content=TexturedModel((feature,), file),
            georeference=place.georeference,
            class_styles=class_styles([_CLASS]),
            cim_level=_CIM_LEVEL,
            warnings=(*place.warnings, *_missing(model)),
        )


def _model_file(source: Source, progress: Progress) -> tuple[Path, Path | None]:
    """The model, and the folder it was unpacked to, if it was."""
    if source.path.is_file() and source.path.suffix.lower() != ".zip":
        return source.path, None
    assert source.scratch is not None
    folder = source.scratch / "unpacked"
    folder.mkdir()
    bring_in(source.path, source.filename, folder, default_limits(), progress)
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in ENDINGS)
    if len(found) != 1:
        shutil.rmtree(folder)
        raise InvalidInput(
            f"{source.filename} holds {len(found)} models; put one model with its pictures into an "
            "archive"
        )
    return found[0], folder


def _upright(source: Source, ending: str) -> Callable[[Floats], Floats]:
    """From the file's axes to x, y and up, the offset added."""
    up = source.options.get("up") or ("y" if ending in (".glb", ".gltf") else "z")
    if up not in ("y", "z"):
        raise InvalidInput(f"up={up} is not an axis that points to the sky; give y or z")
    text = source.options.get("offset", "0,0,0")
    try:
        x, y, z = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InvalidInput(
            f"offset={text} is not an offset; write x,y,z, as in offset=443000,2556000,0"
        ) from error
    if not all(map(math.isfinite, (x, y, z))):
        raise InvalidInput(
            f"offset={text} is not an offset; write x,y,z, as in offset=443000,2556000,0"
        )
    turn = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]) if up == "y" else np.eye(3)
    return lambda points: points @ turn.T + np.array([x, y, z])


def _feature(
    source: Source, model: Model, points: Floats, frame: Frame, separation: float
) -> Feature:
    """The one feature of the layer; `points` (n, 3) are in `frame`."""
    places = frame.to_geographic(points[:: max(1, len(points) // _ENOUGH)])
    lowest, highest = (float(v) - separation for v in (places[:, 2].min(), places[:, 2].max()))
    outline = shapely.convex_hull(shapely.multipoints(places[:, :2]))
    return Feature(
        source.layer_id, _CLASS, source.title, None,
        {
            "triangles": model.triangles, "lowest": round(lowest, 3), "highest": round(highest, 3),
        },
        shape=shapely.force_3d(outline, lowest),
    )  # fmt: skip


def _missing(model: Model) -> list[str]:
    warnings: list[str] = []
    if model.missing:
        warnings.append(
            f"{len(model.missing)} files that it names are missing ({', '.join(model.missing[:5])}); "
            "it is drawn without them"
        )
    return warnings
