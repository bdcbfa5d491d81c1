"""Whether a file holds survey tables, by a glance at its headers: files may be large and not ours."""

import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from cim_core.archives import default_limits, opened
from cim_core.errors import CimError
from pipelines.headers import default_headers
from pipelines.survey_file import ENDINGS, SHAPE, TEXT, first_lines, sheets
from pipelines.survey_tables import candidates, files_of

_HEAD = 1 << 16
_WHOLE = 1 << 26
"""So many bytes of a workbook or GeoPackage in an archive are unpacked to look into it."""

Top = Sequence[Sequence[str]]


def holds_survey(path: Path) -> bool:
    """Whether some table in a file, a folder or an archive has the headers of a survey of pipes."""
    try:
        return any(
            default_headers().is_survey(headers)
            for top in _tops(path)
            for _, headers in candidates(top)
        )
    except (CimError, OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return False


def _tops(path: Path) -> Iterator[Top]:
    """The first lines of the tables of a file, a folder or an archive."""
    if path.is_dir():
        for file, _ in files_of(path):
            yield from _of_file(file)
    elif path.suffix.lower() == ".zip":
        with opened(path, path.name, default_limits()) as archive:
            yield from _of_archive(archive)
    else:
        yield from _of_file(path)


def _of_file(path: Path) -> Iterator[Top]:
    if path.suffix.lower() in TEXT:
        with path.open("rb") as file:
            yield first_lines(file.read(_HEAD))
        return
    try:
        for sheet in sheets(path, path.name):
            yield sheet.top
    except CimError:  # another file may still be one
        return


def _of_archive(archive: zipfile.ZipFile) -> Iterator[Top]:
    shapes = {
        str(PurePosixPath(n).with_suffix(""))
        for n in archive.namelist()
        if n.lower().endswith(".shp")
    }
    for member in archive.infolist():
        inside = PurePosixPath(member.filename)
        ending = inside.suffix.lower()
        if ending in TEXT:
            with archive.open(member) as file:
                yield first_lines(file.read(_HEAD))
        elif ending == ".dbf":
            with archive.open(member) as file:
                names = dbf_columns(file.read(_HEAD))
            yield [[*names, *(SHAPE if str(inside.with_suffix("")) in shapes else ())]]
        elif ending in ENDINGS and ending != ".shp" and member.file_size <= _WHOLE:
            with tempfile.TemporaryDirectory(prefix="cim-survey-") as folder:
                target = Path(folder) / f"table{ending}"
                with archive.open(member) as file, target.open("wb") as out:
                    shutil.copyfileobj(file, out)
                yield from _of_file(target)


def dbf_columns(head: bytes) -> list[str]:
    """The names of the columns of a DBF file, by its first bytes.

    >>> dbf_columns(bytes(32) + b"EXP_NO".ljust(32, bytes(1)) + bytes([13]))
    ['EXP_NO']
    """
    names = []
    for at in range(32, len(head) - 31, 32):
        if head[at] == 0x0D:
            break
        raw = head[at : at + 11].split(b"\0")[0]
        try:
            names.append(raw.decode("utf-8"))
        except UnicodeDecodeError:
            names.append(raw.decode("gb18030", "replace"))
    return names
