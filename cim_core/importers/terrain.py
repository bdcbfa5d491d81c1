"""Terrain: elevation models as GeoTIFF, one or many, as one surface in the city's vertical datum."""

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import rasterio
import shapely
from rasterio.enums import Resampling

from cim_core.errors import InvalidInput
from cim_core.feature import Feature
from cim_core.importers.placing import frame_near, georeference_in
from cim_core.importers.raster import (
    BLOCK,
    Grid,
    Laid,
    Sheet,
    cloud_optimised,
    common_grid,
    coverage,
    files_folder,
    opened,
    windows,
)
from cim_core.importers.raster_kind import holds
from cim_core.importers.styles import class_styles
from cim_core.layer import SURFACE, Layer, Placement, Source, Terrain
from cim_core.mesh import Floats
from cim_core.progress import Progress
from cim_core.reference import VERTICAL_UNITS

Reach = tuple[float, float]
"""The lowest and the highest height, metres."""

_LOWEST, _HIGHEST = -1_000.0, 9_000.0
"""Metres. Land lies between -430 (the Dead Sea) and 8,849 (Everest), mines and harbours included."""

_BAND_UNITS = {
    "m": "metre", "metre": "metre", "meter": "metre", "metres": "metre", "meters": "metre",
    "ft": "foot", "foot": "foot", "feet": "foot", "international foot": "foot",
    "ftus": "us-foot", "us-ft": "us-foot", "us survey foot": "us-foot",
}  # fmt: skip
"""What programs write beside a band, and what it means here."""


@dataclass(frozen=True, slots=True)
class TerrainImporter:
    """Reads elevation models; they keep their own pixels, and heights become metres.

    Where files overlap, the finest counts, then the first by name.
    """

    def recognises(self, path: Path) -> bool:
        """Whether its GeoTIFFs have one band of numbers that are no picture."""
        return holds(path, "terrain")

    def __call__(self, source: Source, placement: Placement, progress: Progress) -> Layer:
        """Import a GeoTIFF, or a folder or .zip of them, as one surface; raises `InvalidInput`."""
        progress(0, 0, "reading")
        with opened(source, placement, progress) as found:
            sheets = [_with_heights(sheet, source) for sheet in found]
            grid = common_grid(sheets)
            surface = files_folder(source) / SURFACE
            raw = surface.with_suffix(".raw.tif")
            reaches, known = _write(raw, sheets, grid, progress)
            outlines = tuple(
                _with_reach(coverage(sheet, n), reaches.get(sheet.name))
                for n, sheet in enumerate(sheets, 1)
            )
            name = sheets[0].reference.name
        if known == 0:
            raise InvalidInput(f"{source.filename} holds no height, only nodata; export it again")
        cloud_optimised(
            raw, surface, COMPRESS="DEFLATE", PREDICTOR="3", OVERVIEW_RESAMPLING="AVERAGE"
        )
        low, high = min(low for low, _ in reaches.values()), max(h for _, h in reaches.values())
        planned = source.options.get("lifecycle") == "planned"
        middle = shapely.unary_union([f.shape for f in outlines]).envelope.centroid
        height = (low + high) / 2 + placement.geoid_separation
        return Layer(
            id=source.layer_id,
            title=source.title,
            frame=frame_near(np.array([middle.x, middle.y, height]), placement),
            content=Terrain(
                outlines,
                surface,
                (low, high),
                placement.geoid_separation,
                source.ground.paths if planned and source.ground else (),
            ),
            georeference=georeference_in(name, placement),
            class_styles=class_styles(["Coverage"]),
            lifecycle="planned" if planned else "present",
            level="surface",
            warnings=() if planned else _warnings(source.filename, known, grid),
        )


def _with_heights(sheet: Sheet, source: Source) -> Sheet:
    """The sheet, its reference knowing what its heights are in; raises `InvalidInput`."""
    dataset, system = sheet.dataset, sheet.reference
    if dataset.count != 1:
        raise InvalidInput(
            f"{sheet.name} has {dataset.count} bands, and terrain has one; if it is a picture, "
            "import it as imagery"
        )
    unit = _BAND_UNITS.get((dataset.units[0] or "").strip().lower())
    if unit is not None and "vertical_unit" not in source.options:
        length = VERTICAL_UNITS[unit]
        system = replace(system, vertical_unit=length, vertical_stated=True)
    system.check_heights(sheet.name)
    return replace(sheet, reference=system)


def _write(
    path: Path, sheets: list[Sheet], grid: Grid, progress: Progress
) -> tuple[dict[str, Reach], int]:
    """Write the mosaic in windows; what of each sheet is in it, and how many pixels are known."""
    reaches: dict[str, Reach] = {}
    known = 0
    profile = {
        "driver": "GTiff", "dtype": "float32", "count": 1, "width": grid.width,
        "height": grid.height, "crs": grid.crs, "transform": grid.transform, "nodata": np.nan,
        "tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK, "compress": "zstd",
        "bigtiff": "if_safer", "sparse_ok": True,
    }  # fmt: skip
    with ExitStack() as stack:
        laid = [Laid(sheet, grid, stack, Resampling.bilinear) for sheet in sheets]
        target = stack.enter_context(rasterio.open(path, "w", **profile))
        for window in windows(grid, progress, "reading"):
            heights = np.full((window.height, window.width), np.nan, np.float32)
            for sheet in laid:
                laid_now = _lay(sheet, window, heights)
                if len(laid_now):
                    name = sheet.sheet.name
                    low, high = reaches.get(name, (np.inf, -np.inf))
                    reaches[name] = (
                        min(low, float(laid_now.min())),
                        max(high, float(laid_now.max())),
                    )
                    known += len(laid_now)
            if np.isfinite(heights).any():
                target.write(heights, 1, window=window)
    return reaches, known


def _with_reach(sheet: Feature, reach: Reach | None) -> Feature:
    """The sheet with its lowest and highest height; its outline lies at the lowest."""
    if reach is None:  # finer ones cover all of it
        return sheet
    low, high = reach
    heights = {"lowest": round(low, 3), "highest": round(high, 3)}
    return replace(
        sheet,
        attributes={**sheet.attributes, **heights},
        shape=shapely.force_3d(sheet.shape, low),
    )


def _lay(laid: Laid, window: rasterio.windows.Window, heights: Floats) -> Floats:
    """Fill what is still unknown of a window's heights, (h, w), from a sheet; what it gave, (n,)."""
    part = laid.overlap(window)
    if part is None:
        return np.empty(0)
    own, place = part
    values, known = laid.read(own, [1])
    system = laid.sheet.reference
    above = -system.geoid_separation if system.ellipsoidal else 0.0
    metres = values[0].astype(np.float64) * system.vertical_unit + above
    view = heights[place]
    known &= np.isnan(view)
    wrong = known & ((metres < _LOWEST) | (metres > _HIGHEST))
    if wrong.any():
        raise InvalidInput(
            f"{laid.sheet.name}: a height of {metres[wrong][0]:g} m is not of this earth; if it "
            "stands for unknown, say so with the option nodata, else give the unit of the heights "
            "with the option vertical_unit"
        )
    view[known] = metres[known]
    return view[known]


def _warnings(filename: str, known: int, grid: Grid) -> tuple[str, ...]:
    share = known / (grid.width * grid.height)
    if share > 0.5:
        return ()
    return (f"{filename}: heights are known for only {share:.0%} of its rectangle",)
