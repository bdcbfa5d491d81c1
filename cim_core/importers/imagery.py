"""Imagery: orthophotos as GeoTIFF, one or many, as one Cloud-Optimised GeoTIFF."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, Resampling

from cim_core.errors import InvalidInput
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
from cim_core.layer import IMAGE, Imagery, Layer, Placement, Source
from cim_core.progress import Progress

_QUALITY = "90"

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ImageryImporter:
    """Reads orthophotos: grey, with a palette, or red, green and blue with or without alpha.

    Where files overlap, the finest counts, then the first by name.
    """

    def recognises(self, path: Path) -> bool:
        """Whether its GeoTIFFs are pictures."""
        return holds(path, "imagery")

    def __call__(self, source: Source, placement: Placement, progress: Progress) -> Layer:
        """Import a GeoTIFF, or a folder or .zip of them, as one image; raises `InvalidInput`."""
        progress(0, 0, "reading")
        with opened(source, placement, progress) as sheets:
            for sheet in sheets:
                _check(sheet)
            grid = common_grid(sheets)
            image = files_folder(source) / IMAGE
            raw = image.with_suffix(".raw.tif")
            _write(raw, sheets, grid, progress)
            outlines = tuple(coverage(sheet, n) for n, sheet in enumerate(sheets, 1))
            name = sheets[0].reference.name
        cloud_optimised(
            raw, image, COMPRESS="JPEG", QUALITY=_QUALITY, OVERVIEW_RESAMPLING="AVERAGE"
        )
        middle = shapely.unary_union([f.shape for f in outlines]).envelope.centroid
        return Layer(
            id=source.layer_id,
            title=source.title,
            frame=frame_near(np.array([middle.x, middle.y, placement.geoid_separation]), placement),
            content=Imagery(outlines, image),
            georeference=georeference_in(name, placement),
            class_styles=class_styles(["Coverage"]),
            lifecycle="planned" if source.options.get("lifecycle") == "planned" else "present",
            level="surface",
        )


def _check(sheet: Sheet) -> None:
    dataset = sheet.dataset
    if set(dataset.dtypes) != {"uint8"}:
        raise InvalidInput(
            f"{sheet.name} has numbers of type {dataset.dtypes[0]}, and a picture has 8 bits a "
            "band; convert it with `gdal_translate -ot Byte -scale`, or import it as terrain"
        )


def _write(path: Path, sheets: list[Sheet], grid: Grid, progress: Progress) -> None:
    """Write the mosaic in windows: red, green, blue, and where there is none in the mask."""
    profile = {
        "driver": "GTiff", "dtype": "uint8", "count": 3, "width": grid.width, "height": grid.height,
        "crs": grid.crs, "transform": grid.transform, "tiled": True, "blockxsize": BLOCK,
        "blockysize": BLOCK, "compress": "zstd", "photometric": "rgb", "interleave": "pixel",
        "bigtiff": "if_safer", "sparse_ok": True,
    }  # fmt: skip
    with ExitStack() as stack:
        stack.enter_context(rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True))
        laid = [Laid(sheet, grid, stack, _resampling(sheet)) for sheet in sheets]
        target = stack.enter_context(rasterio.open(path, "w", **profile))
        for window in windows(grid, progress, "reading"):
            picture = np.zeros((3, window.height, window.width), np.uint8)
            there = np.zeros((window.height, window.width), bool)
            for sheet in laid:
                _lay(sheet, window, picture, there)
            if there.any():
                target.write(picture, window=window)
            target.write_mask(there, window=window)


def _lay(
    laid: Laid, window: rasterio.windows.Window, picture: Bytes, there: NDArray[np.bool_]
) -> None:
    """Fill what is still empty of a picture (3, h, w), and of `there` (h, w), from a sheet."""
    part = laid.overlap(window)
    if part is None:
        return
    own, (rows, columns) = part
    source = laid.sheet.dataset
    colours = [1, 2, 3] if source.count >= 3 else [1]
    values, known = laid.read(own, colours)
    if source.colorinterp[0] == ColorInterp.palette:
        values = np.moveaxis(_palette(source)[values[0]], -1, 0)
    known &= ~there[rows, columns]
    picture[:, rows, columns][:, known] = values[:, known]
    there[rows, columns] |= known


def _palette(source: rasterio.DatasetReader) -> Bytes:
    """The colours of a palette, (256, 3)."""
    colours = np.zeros((256, 3), np.uint8)
    for number, colour in source.colormap(1).items():
        colours[number] = colour[:3]
    return colours


def _resampling(sheet: Sheet) -> Resampling:
    """Numbers of colours have no middle; colours do."""
    palette = sheet.dataset.colorinterp[0] == ColorInterp.palette
    return Resampling.nearest if palette else Resampling.bilinear
