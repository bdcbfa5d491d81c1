"""GeoTIFFs as they arrive: opened with care, one or many, and laid on one grid."""

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
import shapely
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from cim_core.archives import default_limits
from cim_core.archives import opened as opened_archive
from cim_core.errors import InvalidInput
from cim_core.feature import Feature
from cim_core.importers.raster_checks import BESIDE, check_beside, check_sheet
from cim_core.importers.raster_own import into_degrees
from cim_core.importers.references import reference_of
from cim_core.layer import FILES, Placement, Source
from cim_core.progress import Progress
from cim_core.reference import Reference

EXTENSIONS = (".tif", ".tiff")
BLOCK = 512
"""Pixels along a side of what is stored together."""
WINDOW = 4 * BLOCK
"""Pixels along a side of what is read and written at once."""

_ALIGNED = 1e-3
"""Grids whose pixels differ by less than this part of a pixel are one."""
_OUTLINE_POINTS = 8
_HEAD = 1 << 24
_SPARSEST = 1_000
"""How many times as many pixels as its sheets a mosaic may have."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file of a mosaic, open, and the reference system it is in."""

    name: str
    dataset: rasterio.DatasetReader
    reference: Reference
    nodata: float | None

    def outline(self) -> shapely.Polygon:
        """Its rectangle in longitude and latitude, with points along the sides."""
        width, height = self.dataset.width, self.dataset.height
        along = np.linspace(0.0, 1.0, _OUTLINE_POINTS, endpoint=False)
        edge = np.concatenate([np.column_stack([along, 0 * along]), np.column_stack([0 * along + 1, along]),
                               np.column_stack([1 - along, 0 * along + 1]), np.column_stack([0 * along, 1 - along])])  # fmt: skip
        columns, rows = (edge * (width, height)).T
        t = self.dataset.transform
        plane = np.column_stack(
            [t.a * columns + t.b * rows + t.c, t.d * columns + t.e * rows + t.f]
        )
        return shapely.Polygon(self.reference.to_city(plane)[:, :2])


@dataclass(frozen=True, slots=True)
class Grid:
    """A north-up grid of pixels in a reference system."""

    crs: rasterio.crs.CRS
    transform: rasterio.Affine
    width: int
    height: int

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """left, bottom, right, top."""
        t = self.transform
        return t.c, t.f + t.e * self.height, t.c + t.a * self.width, t.f


@contextmanager
def opened(source: Source, placement: Placement, progress: Progress) -> Iterator[list[Sheet]]:
    """Open a GeoTIFF, or all in a folder or .zip, the finest first.

    Raises `InvalidInput` for a file that cannot be read, that lies nowhere, or whose numbers cannot
    be in its reference system.
    """
    with ExitStack() as stack:
        sheets = []
        for name, path, stored in _files(source):
            dataset = stack.enter_context(_open(name, path))
            check_sheet(name, dataset, stored)
            reference = reference_of(source, placement, _crs(dataset))
            _check_place(name, dataset, reference)
            sheet = Sheet(name, dataset, reference, _nodata(source, dataset))
            sheets.append(_known_to_gdal(sheet, source, stack, progress))
        yield sorted(sheets, key=lambda sheet: (_pixel(sheet), sheet.name))


def _files(source: Source) -> list[tuple[str, str, int]]:
    """Of each GeoTIFF its name for people, its path for GDAL, and bytes it has at the most."""
    path = source.path
    if path.is_dir():
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in EXTENSIONS)
        for folder in {p.parent for p in inside}:
            _check_beside(folder)
        found = [(str(p.relative_to(path)), str(p), p.stat().st_size) for p in inside]
    elif source.filename.lower().endswith(".zip"):
        with opened_archive(path, source.filename, default_limits()) as archive:
            names = sorted(n for n in archive.namelist() if n.lower().endswith(EXTENSIONS))
            for beside in archive.namelist():
                if beside.lower().endswith(BESIDE):
                    with archive.open(beside) as file:
                        check_beside(beside, file.read(_HEAD))
        # GDAL unpacks only what it reads, so no file of an archive is ever written.
        size = path.stat().st_size
        found = [(name, f"/vsizip/{{{path}}}/{name}", size) for name in names]
    else:
        _check_beside(path.parent, path.name)
        return [(source.filename, str(path), path.stat().st_size)]
    if not found:
        raise InvalidInput(
            f"{source.filename} holds no GeoTIFF; give a folder or .zip of .tif files"
        )
    return found


def _check_beside(folder: Path, of: str = "") -> None:
    """Look at the files beside those of a folder; `of` one of them only."""
    for path in folder.iterdir():
        name = path.name.lower()
        if name.endswith(BESIDE) and name.startswith(PurePath(of).stem.lower()):
            with path.open("rb") as file:
                check_beside(path.name, file.read(_HEAD))


def _open(name: str, path: str) -> rasterio.DatasetReader:
    try:
        # Other drivers would follow what a file refers to, out of the folder or into the network.
        return rasterio.open(path, driver="GTiff")
    except RasterioError as error:
        raise InvalidInput(f"{name} cannot be read as GeoTIFF; export it again") from error


def _crs(dataset: rasterio.DatasetReader) -> str | None:
    return dataset.crs.to_wkt() if dataset.crs else None


def _nodata(source: Source, dataset: rasterio.DatasetReader) -> float | None:
    said = source.options.get("nodata")
    try:
        return dataset.nodata if said is None else float(said)
    except ValueError as error:
        raise InvalidInput(
            f"nodata={said} is not a number; write one, as in nodata=-9999"
        ) from error


def _check_place(name: str, dataset: rasterio.DatasetReader, reference: Reference) -> None:
    t = dataset.transform
    if t.is_identity:
        raise InvalidInput(
            f"{name} does not say where it lies; export it as GeoTIFF, or bring the .tfw beside it"
        )
    if reference.is_geocentric:
        raise InvalidInput(
            f"{name}: a picture of the ground cannot be in {reference.name}; say with --crs which "
            "map system it is in"
        )
    # The middle, not the corners: a model of a whole province may reach beyond its zone.
    column, row = dataset.width / 2, dataset.height / 2
    middle = [t.a * column + t.b * row + t.c, t.d * column + t.e * row + t.f]
    reference.check(np.array([middle]), name)


def _known_to_gdal(sheet: Sheet, source: Source, stack: ExitStack, progress: Progress) -> Sheet:
    """The sheet in degrees if it is in a system of the city's own."""
    if sheet.reference.wkt is not None:
        return sheet
    folder = Path(stack.enter_context(TemporaryDirectory(dir=source.scratch)))
    path = folder / "sheet.tif"
    box = sheet.outline().bounds
    system = into_degrees(sheet.dataset, sheet.reference, sheet.nodata, box, path, progress)
    return Sheet(sheet.name, stack.enter_context(rasterio.open(path)), system, None)


def _pixel(sheet: Sheet) -> float:
    """The side of a pixel in metres, about."""
    t = sheet.dataset.transform
    return math.sqrt(abs(t.a * t.e - t.b * t.d)) * sheet.reference.metres_per_unit


def common_grid(sheets: Sequence[Sheet]) -> Grid:
    """The grid of the finest sheet, widened to hold them all; that sheet keeps its pixels.

    A sheet that is not north-up is turned by GDAL first. Raises `InvalidInput` when the sheets lie
    too far apart.
    """
    first = _north_up(sheets[0])
    a, e = first.transform.a, first.transform.e
    crs = rasterio.crs.CRS.from_wkt(sheets[0].reference.wkt)
    boxes = np.array([_bounds_in(sheet, crs) for sheet in sheets])
    left, bottom = boxes[:, :2].min(axis=0)
    right, top = boxes[:, 2:].max(axis=0)
    x, y = first.transform.c, first.transform.f
    west = math.floor((left - x) / a + _ALIGNED)
    north = math.floor((top - y) / e + _ALIGNED)
    width = math.ceil((right - x) / a - _ALIGNED) - west
    height = math.ceil((bottom - y) / e - _ALIGNED) - north
    theirs = sum(sheet.dataset.width * sheet.dataset.height for sheet in sheets)
    if len(sheets) > 1 and width * height > _SPARSEST * (theirs + WINDOW**2):
        raise InvalidInput(
            f"{sheets[0].name} and {len(sheets) - 1} more lie too far apart for one layer; "
            "import them as layers of their own"
        )
    transform = rasterio.Affine(a, 0.0, x + west * a, 0.0, e, y + north * e)
    return Grid(crs, transform, width, height)


def _north_up(sheet: Sheet) -> Grid:
    dataset, crs = sheet.dataset, rasterio.crs.CRS.from_wkt(sheet.reference.wkt)
    t = dataset.transform
    if t.b == t.d == 0 and t.a > 0 > t.e:
        return Grid(crs, t, dataset.width, dataset.height)
    with WarpedVRT(dataset, src_crs=crs, crs=crs) as turned:
        return Grid(crs, turned.transform, turned.width, turned.height)


def _bounds_in(sheet: Sheet, crs: rasterio.crs.CRS) -> tuple[float, float, float, float]:
    own = rasterio.crs.CRS.from_wkt(sheet.reference.wkt)
    box = _north_up(sheet).bounds
    if own == crs:
        return box
    found: tuple[float, float, float, float] = transform_bounds(own, crs, *box, densify_pts=21)
    return found


class Laid:
    """A sheet as pixels of a grid: as it is where its own pixels are those, else resampled."""

    def __init__(self, sheet: Sheet, grid: Grid, stack: ExitStack, resampling: Resampling) -> None:
        self.sheet = sheet
        own = rasterio.crs.CRS.from_wkt(sheet.reference.wkt)
        t, g = sheet.dataset.transform, grid.transform
        column, row = (t.c - g.c) / g.a, (t.f - g.f) / g.e
        aligned = (
            own == grid.crs
            and t.b == t.d == 0
            and abs(t.a / g.a - 1) * sheet.dataset.width < _ALIGNED
            and abs(t.e / g.e - 1) * sheet.dataset.height < _ALIGNED
            and max(abs(column - round(column)), abs(row - round(row))) < _ALIGNED
        )
        if aligned:
            self.dataset = sheet.dataset
            self.column, self.row = round(column), round(row)
        else:
            self.dataset = stack.enter_context(
                WarpedVRT(
                    sheet.dataset, src_crs=own, crs=grid.crs, transform=grid.transform,
                    width=grid.width, height=grid.height, resampling=resampling,
                    src_nodata=sheet.nodata, add_alpha=sheet.nodata is None and sheet.dataset.count != 4,
                )
            )  # fmt: skip
            self.column = self.row = 0

    def overlap(self, window: Window) -> tuple[Window, tuple[slice, slice]] | None:
        """The part of a window of the grid this sheet has: in its own pixels and in the window's."""
        left = max(window.col_off, self.column)
        top = max(window.row_off, self.row)
        right = min(window.col_off + window.width, self.column + self.dataset.width)
        bottom = min(window.row_off + window.height, self.row + self.dataset.height)
        if left >= right or top >= bottom:
            return None
        own = Window(left - self.column, top - self.row, right - left, bottom - top)
        rows = slice(top - window.row_off, bottom - window.row_off)
        return own, (rows, slice(left - window.col_off, right - window.col_off))

    def read(self, window: Window, indexes: Sequence[int]) -> tuple[Any, NDArray[np.bool_]]:
        """Bands (b, h, w) of a window in its own pixels, and (h, w): where they are known.

        Unknown is where every band has the value for that, or the mask or alpha says so.
        """
        nodata = self.sheet.nodata
        try:
            values = self.dataset.read(indexes, window=window)
            known = self._there(window) if nodata is None else (values != nodata).any(axis=0)
        except RasterioError as error:
            raise InvalidInput(
                f"{self.sheet.name} is damaged: a part of it cannot be read; export it again"
            ) from error
        return values, known & np.isfinite(values[0])

    def _there(self, window: Window) -> NDArray[np.bool_]:
        """Where the mask or the alpha of the file says that there is something."""
        colours = self.dataset.colorinterp
        if ColorInterp.alpha in colours:  # that of a resampled sheet is in no mask
            band: NDArray[np.uint8] = self.dataset.read(
                colours.index(ColorInterp.alpha) + 1, window=window
            )
        else:
            band = self.dataset.dataset_mask(window=window)
        return band > 0


def windows(grid: Grid, progress: Progress, stage: str) -> Iterator[Window]:
    """The windows that make up a grid, in its order, reporting."""
    across, down = math.ceil(grid.width / WINDOW), math.ceil(grid.height / WINDOW)
    for number in range(across * down):
        progress(number, across * down, stage)
        row, column = divmod(number, across)
        top, left = row * WINDOW, column * WINDOW
        yield Window(left, top, min(WINDOW, grid.width - left), min(WINDOW, grid.height - top))
    progress(across * down, across * down, stage)


def files_folder(source: Source) -> Path:
    """The folder of the version for what is served as it is."""
    assert source.scratch is not None, "rasters need a folder of their own"
    folder = source.scratch / FILES
    folder.mkdir(exist_ok=True)
    return folder


def cloud_optimised(raw: Path, target: Path, **options: str) -> None:
    """Rewrite a GeoTIFF with overviews and its directory in front; the raw one is removed."""
    rasterio.shutil.copy(
        raw, target, driver="COG", BLOCKSIZE=str(BLOCK), BIGTIFF="IF_SAFER",
        NUM_THREADS="ALL_CPUS", **options,
    )  # fmt: skip
    raw.unlink()


def coverage(sheet: Sheet, number: int) -> Feature:
    """A sheet as a feature: where it lies and what it is."""
    dataset = sheet.dataset
    return Feature(
        id=f"sheet-{number}",
        feature_class="Coverage",
        name=Path(sheet.name).stem,
        attributes={
            "file": sheet.name, "crs": sheet.reference.name, "width": dataset.width,
            "height": dataset.height, "bands": dataset.count, "pixel": round(_pixel(sheet), 4),
        },
        shape=sheet.outline(),
    )  # fmt: skip
