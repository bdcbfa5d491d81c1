"""A folder of mixed files as one job: each file a layer of its own, whatever becomes of the others."""

import contextlib
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from cim_core.archives import bring_in, default_limits, size_unpacked
from cim_core.city import City
from cim_core.errors import Cancelled, CimError, TooLarge
from cim_core.feature import Value
from cim_core.progress import Progress
from cim_core.work import Crew
from server.folder_plan import Item, plan_folder
from server.ingest import Also, Report, Upload, ingest
from server.problems import problem_of
from server.sources import files_below, inputs_of
from server.stages import OF_MANY, share_done

FOLDER = "folder"
"""The type of a job that imports a folder, and what a person calls a .zip of one."""

_STEPS = 100
"""Into how many steps the import of one file is divided for the progress of all."""

Told = Callable[[Report], None]


@dataclass(frozen=True, slots=True)
class FolderUpload:
    """A folder, or a .zip of one, to be imported, and what the person said about what is in it.

    crs
        The reference system of the files that name none; the others keep to their own.
    mosaic
        Whether the rasters, or the point clouds, of the folder itself are one layer.
    """

    path: Path
    crs: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    mosaic: bool = False

    def as_parameters(self) -> dict[str, Value]:
        """As a job keeps it."""
        return {
            "path": str(self.path), "crs": self.crs, "options": dict(self.options),
            "mosaic": self.mosaic,
        }  # fmt: skip

    @classmethod
    def from_parameters(cls, values: Mapping[str, Value]) -> "FolderUpload":
        """What `as_parameters` gave."""
        return cls(
            Path(str(values["path"])),
            cast("str | None", values["crs"]),
            cast("dict[str, str]", values["options"]),
            bool(values["mosaic"]),
        )


class _PartOf(Progress):
    """The progress of one file as a part of that of all; it never goes back."""

    def __init__(self, whole: Progress, number: int, count: int) -> None:
        super().__init__()
        self._whole = whole
        self._behind = self._first = number * _STEPS
        self._all = count * _STEPS

    def __call__(self, done: int, total: int, note: str) -> None:
        """Say it to the whole, in its own steps."""
        step = self._first + int(_STEPS * share_done(done, total, note))
        self._behind = max(self._behind, step)
        self._whole(self._behind, self._all, OF_MANY)

    def ask(self) -> None:
        """Ask the whole."""
        self._whole.ask()


def import_folder(
    city: City, order: FolderUpload, crew: Crew, progress: Progress, also: Also | None = None,
    told: Told | None = None,
) -> Report:  # fmt: skip
    """Import what `plan_folder` plans, one after the other, each published as soon as it is done.

    What the city serves already, made of the same bytes in the same way, is not done again: a
    folder import that was broken off goes on where it was. A file that fails is in the report and
    stops nothing. `told` hears of each file when it is done; `also` joins the last transaction with
    the report. Raises `Cancelled`; the layers published before stay.
    """
    folder = _unpacked(order.path, progress)
    items = plan_folder(folder, mosaic=order.mosaic)
    entries: list[Report] = []
    for number, item in enumerate(items):
        entry = {
            **item.as_dict(),
            **_done(city, item, order, crew, _PartOf(progress, number, len(items))),
        }
        entries.append(entry)
        if told is not None:
            told(entry)
    progress(len(items) * _STEPS, len(items) * _STEPS, OF_MANY)
    counts = Counter(str(entry["status"]) for entry in entries)
    report: Report = {
        "folder": order.path.name,
        "counts": {s: counts[s] for s in ("imported", "unchanged", "failed", "refused")},
        "items": cast("list[Value]", entries),
    }
    if also is not None:
        with city.database.transaction() as connection:
            also(connection, report)
    return report


def _unpacked(path: Path, progress: Progress) -> Path:
    """The folder that is meant: the path itself, or what the archive at it holds, beside it."""
    if path.is_dir():
        return path
    folder = path.with_name("unpacked")
    shutil.rmtree(folder, ignore_errors=True)  # of a worker that was lost
    folder.mkdir()
    limits = default_limits()
    size = bring_in(path, path.name, folder, limits, progress)
    packed = (p for p in files_below(folder) if p.suffix.lower() in (".zip", ".3tz"))
    for inner in packed:
        with contextlib.suppress(CimError):  # that file's own importer says it
            size += size_unpacked(inner, limits)
        if size > limits.bytes:
            raise TooLarge(
                f"{path.name} holds archives that hold more than the {limits.bytes / 2**30:.0f} GiB that "
                "are taken at once; import it in parts"
            )
    return folder


def _done(city: City, item: Item, order: FolderUpload, crew: Crew, progress: Progress) -> Report:
    """Import one item; what became of it."""
    if item.refusal is not None:
        return {"status": "refused"}
    crs = order.crs if item.needs_crs else None
    name = item.path.name
    upload = Upload(
        item.path, name, item.layer, item.path.stem, crs, kind=item.kind, options=order.options
    )
    progress(0, 0, "reading")
    try:
        if is_served(city, upload):
            return {"status": "unchanged"}
        return {"status": "imported", "report": ingest(city, upload, crew, progress)}
    except Cancelled:
        raise
    except Exception as error:
        return {"status": "failed", "problem": problem_of(error)}


def is_served(city: City, upload: Upload) -> bool:
    """Whether the layer's version in service is an import of the same bytes in the same way."""
    known = {version.layer: version for version in city.layers.current()}.get(upload.layer_id)
    if known is None:
        return False
    receipt = city.receipts.get(known.receipt)
    parameters = cast("dict[str, Value]", receipt["parameters"])
    asked = {"kind": upload.kind, "crs": upload.crs, "options": dict(upload.options)}
    # What is not said this time holds as it was said before.
    if receipt["kind"] != "import" or any(
        value and parameters.get(name) != value for name, value in asked.items()
    ):
        return False
    inputs = cast("list[dict[str, Value]]", receipt["inputs"])
    now = inputs_of(upload.path, upload.filename)
    return [entry["sha256"] for entry in inputs] == [entry.sha256 for entry in now]
