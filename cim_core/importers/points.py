"""Point clouds: LAS, LAZ and COPC files, one or a folder of them as one layer."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import shapely

from cim_core.errors import InvalidInput
from cim_core.feature import Feature, Property, PropertySet, Value
from cim_core.frame import Frame
from cim_core.importers.placing import Place, frame_near, place_of
from cim_core.importers.points_file import (
    Scan,
    files_in,
    read_header,
    read_points,
    write_points,
)
from cim_core.importers.styles import class_styles, table
from cim_core.layer import Layer, Placement, PointCloud, Source
from cim_core.mesh import Floats
from cim_core.progress import Progress
from cim_core.reference import Reference, reference

FEATURE_CLASS = "PointCloud"
STYLED_BY = ("classification", "intensity")
"""What each point carries besides its place and colour."""

_SAME_PLACE = 1e-5
"""Degrees, about a metre: two systems that put a file no further apart say the same of it."""


@dataclass(frozen=True, slots=True)
class PointsImporter:
    """Reads point clouds; the points go to the layer's frame, in portions."""

    def recognises(self, path: Path) -> bool:
        """Whether it is a LAS file, packed or not, or a folder with one."""
        if path.is_dir():
            return bool(files_in(path))
        with path.open("rb") as file:
            return file.read(4) == b"LASF"

    def __call__(self, source: Source, placement: Placement, progress: Progress) -> Layer:
        """Import a file, or all of a folder; raises `InvalidInput`."""
        progress(0, 0, "reading")
        paths = files_in(source.path) if source.path.is_dir() else [source.path]
        if not paths:
            raise InvalidInput(f"{source.filename} holds no LAS or LAZ file; name another folder")
        scans = [
            read_header(path, source.filename if path == source.path else path.name)
            for path in paths
        ]
        places = [_placed(scan, source, placement) for scan in scans]
        frame = _frame(scans, places, placement)
        clouds = _converted(scans, places, frame, source, progress)
        features, files = zip(*clouds, strict=True)
        return Layer(
            id=source.layer_id,
            title=source.title,
            frame=frame,
            content=PointCloud(features, files),
            georeference=places[0].georeference,
            tile_attributes=STYLED_BY,
            class_styles=class_styles((FEATURE_CLASS,)),
            warnings=tuple(warning for place in places for warning in place.warnings),
        )


@dataclass(slots=True)
class _Tally:
    """What is known of a file's points once they have all passed."""

    classes: Counter[int] = field(default_factory=Counter)
    outline: shapely.Geometry = field(default_factory=shapely.Polygon)
    lowest: float = np.inf
    highest: float = -np.inf

    def count(self, geographic: Floats, classification: np.ndarray) -> None:
        """Take (n, 3) longitude, latitude, ellipsoidal height into account."""
        codes, counts = np.unique(classification, return_counts=True)
        self.classes.update(dict(zip(codes.tolist(), counts.tolist(), strict=True)))
        around = shapely.multipoints(geographic[:, :2])
        self.outline = shapely.convex_hull(shapely.union(shapely.convex_hull(around), self.outline))
        self.lowest = min(self.lowest, float(geographic[:, 2].min()))
        self.highest = max(self.highest, float(geographic[:, 2].max()))


def _placed(scan: Scan, source: Source, placement: Placement) -> Place:
    """Where a file lies; its own word on the unit of heights goes with its own system."""
    options = dict(source.options)
    if scan.vertical_unit is not None and placement.crs is None:
        options.setdefault("vertical_unit", scan.vertical_unit)
    named = replace(source, filename=scan.name, options=options)
    own = _own_system(scan)
    place = place_of(named, placement, scan.crs if own else None, scan.box, heights=True)
    if placement.crs is None or own is None:
        return place
    there, here = own.to_geographic(scan.box)[:, :2], place.to_geographic(scan.box)[:, :2]
    if np.allclose(there, here, rtol=0.0, atol=_SAME_PLACE):
        return place
    warning = f"{scan.name} says that it is in {own.name}; {placement.crs} was used, as given"
    return replace(place, warnings=(*place.warnings, warning))


def _own_system(scan: Scan) -> Reference | None:
    """The system a file names, None where it names none that is known."""
    try:
        return reference(scan.crs, geoid_separation=0.0) if scan.crs else None
    except InvalidInput:
        return None


def _frame(scans: list[Scan], places: list[Place], placement: Placement) -> Frame:
    """The frame of the version before, or one in the middle of all."""
    corners = np.vstack([p.to_geographic(s.box) for s, p in zip(scans, places, strict=True)])
    return frame_near((corners.min(axis=0) + corners.max(axis=0)) / 2, placement)


def _converted(
    scans: list[Scan], places: list[Place], frame: Frame, source: Source, progress: Progress
) -> Iterator[tuple[Feature, Path]]:  # fmt: skip
    """For each file its feature, and a copy of its points in the frame below the scratch folder."""
    assert source.scratch is not None, "a point cloud needs a folder to go to"
    folder = source.scratch / "points"
    folder.mkdir()
    total, done = sum(scan.points for scan in scans), 0
    with_color = any(scan.has_color for scan in scans)
    for number, (scan, place) in enumerate(zip(scans, places, strict=True)):
        tally = _Tally()
        path = folder / f"{number}.las"
        with write_points(path, with_color=with_color) as writer:
            for portion in read_points(scan):
                progress(done, total, "geometry")
                geographic = place.to_geographic(portion.positions)
                if not np.isfinite(geographic).all():
                    raise InvalidInput(
                        f"{scan.name} has points outside its reference system; say with --crs "
                        "which system they are in"
                    )
                tally.count(geographic, portion.classification)
                writer.write(frame.from_geographic(geographic), portion)
                done += len(portion.positions)
        yield _feature(scan, place, tally), path
    progress(total, total, "geometry")


def _feature(scan: Scan, place: Place, tally: _Tally) -> Feature:
    lowest = tally.lowest - place.geoid_separation
    highest = tally.highest - place.geoid_separation
    attributes: dict[str, Value] = {
        "points": scan.points,
        "lowest": round(lowest, 3),
        "highest": round(highest, 3),
        "color": scan.has_color,
        "crs": place.georeference.crs,
    }
    names = table("point_classes.toml")
    counts = tuple(
        Property(f"{code} {names.get(str(code), {}).get('en', 'Other')}", count)
        for code, count in sorted(tally.classes.items())
    )
    return Feature(
        scan.name,
        FEATURE_CLASS,
        scan.path.stem,
        attributes=attributes,
        property_sets=(PropertySet("Classification", "quantity", counts),),
        shape=shapely.force_3d(tally.outline, lowest),
    )
