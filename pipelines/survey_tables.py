"""The survey tables of a file, a folder or an archive: found by their headers, sorted by their kind."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cim_core.archives import bring_in, default_limits
from cim_core.errors import InvalidInput
from cim_core.network import Texts
from cim_core.progress import Progress
from pipelines.dictionary import class_in_name
from pipelines.headers import OWN_FILE, Headers, TableKind, default_headers, own_headers
from pipelines.survey import SurveyTable
from pipelines.survey_connected import connections
from pipelines.survey_file import ENDINGS, SHAPE, Body, Sheet, sheets

_AGREE = 1.0
"""Within so many of its units the shape of a point and its own columns say the same place."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What there is of survey tables.

    systems
        The reference system in which its file says the points of each table are; None where it
        says none.
    remarks
        What is worth telling whoever imports it.
    """

    tables: tuple[SurveyTable, ...]
    systems: tuple[str | None, ...]
    remarks: tuple[str, ...]


def read_survey(
    path: Path, filename: str, options: Mapping[str, str], progress: Progress
) -> Survey:
    """Read the survey tables of a file, a folder with all below it, or a .zip of one.

    Options: `headers`, the path of a mapping file in the folder or archive or beside it (else
    `headers.toml` in it is one), and `encoding` of texts. A file that cannot be read is told of
    where there are others. Raises `InvalidInput` where there is no table of points or of lines.
    """
    if path.suffix.lower() != ".zip":
        beside = path if path.is_dir() else path.parent
        return _read(path, filename, (beside,), options, progress)
    with tempfile.TemporaryDirectory(prefix="cim-survey-") as folder:
        bring_in(path, filename, Path(folder), default_limits(), progress)
        return _read(Path(folder), filename, (Path(folder), path.parent), options, progress)


def _read(
    path: Path,
    filename: str,
    folders: Sequence[Path],
    options: Mapping[str, str],
    progress: Progress,
) -> Survey:
    """Read tables; a mapping file may lie in `folders` or below."""
    files = files_of(path) if path.is_dir() else [(path, filename)]
    headers = _headers(path, folders, options)
    refused: list[InvalidInput] = []
    tables: list[SurveyTable] = []
    systems: list[str | None] = []
    remarks: list[str] = []
    for number, (file, name) in enumerate(files):
        progress(number, len(files), "reading")
        try:
            for sheet in sheets(file, name, options.get("encoding")):
                progress.ask()
                found = _header_row(sheet, headers)
                if found is None:
                    remarks += _not_used(sheet, headers)
                    continue
                above, names, kind = found
                body = sheet.body(above, len(names))
                remarks += body.remarks
                made, said = _tables(sheet.name, names, kind, body, headers)
                remarks += said
                tables += made
                systems += [_system(table, body) for table in made]
        except InvalidInput as error:  # the other files may be sound
            refused.append(error)
    if refused and not tables:
        raise refused[0]
    remarks += [error.sentence for error in refused]
    if not any(table.kind in ("point", "line") for table in tables):
        if remarks:
            raise InvalidInput(
                f"{filename} holds no table of pipe points or pipe lines ({remarks[0]}); name its "
                "headers in a mapping file"
            )
        raise InvalidInput(
            f"{filename} holds no table of pipe points or pipe lines; name a file or folder that does"
        )
    return Survey(tuple(tables), tuple(systems), tuple(remarks))


def files_of(folder: Path) -> list[tuple[Path, str]]:
    """The files of a folder and all below it that may be tables, with their names in it."""
    files = [
        file
        for file in sorted(folder.rglob("*"))
        if file.is_file()
        and file.suffix.lower() in ENDINGS
        and not any(part.startswith((".", "~$", "__MACOSX")) for part in file.relative_to(folder).parts)
    ]  # fmt: skip
    shapes = {file.with_suffix("") for file in files if file.suffix.lower() == ".shp"}
    return [
        (file, file.relative_to(folder).as_posix())
        for file in files
        if not (file.suffix.lower() == ".dbf" and file.with_suffix("") in shapes)
    ]


def _headers(path: Path, folders: Sequence[Path], options: Mapping[str, str]) -> Headers:
    said = options.get("headers")
    if said:
        return own_headers(_mapping_file(said, folders))
    beside = path / OWN_FILE if path.is_dir() else None
    return own_headers(beside) if beside and beside.is_file() else default_headers()


def _mapping_file(said: str, folders: Sequence[Path]) -> Path:
    """The mapping file a path means: options come over the network, too, so no file elsewhere."""
    for folder in folders:
        for path in (Path(said), folder / said):
            if path.resolve().is_relative_to(folder.resolve()) and path.is_file():
                return path
    raise InvalidInput(
        f"the option headers names {said}, which does not lie with the tables; put the mapping file "
        "into their folder or archive, or beside it"
    )


def candidates(top: Sequence[Sequence[str]]) -> Iterator[tuple[int, list[str]]]:
    """What may be the headers: each of the first lines, or two of them where one is over the other."""
    for number, cells in enumerate(top):
        yield number + 1, list(cells)
        if number + 1 < len(top):
            below = top[number + 1]
            over, filled = "", []
            for cell in cells:
                over = cell or over
                filled.append(over)
            wide = [*filled, *[""] * (len(below) - len(filled))]
            yield (
                number + 2,
                [low or high for low, high in zip([*below, *[""] * (len(wide) - len(below))], wide, strict=True)],
            )  # fmt: skip


def _header_row(sheet: Sheet, headers: Headers) -> tuple[int, list[str], TableKind] | None:
    """How many lines stand above the body, the headers, and the kind they tell."""
    for above, names in candidates(sheet.top):
        kind = headers.kind(names, sheet.name)
        if kind is not None:
            return above, names, kind
    return None


def _not_used(sheet: Sheet, headers: Headers) -> Iterator[str]:
    """Why a table is none of the survey, if it is worth a word."""
    if not sheet.top or not any(any(row) for row in sheet.top):
        return
    names = max(sheet.top, key=lambda row: sum(map(bool, row)))
    kind = headers.named(sheet.name)
    lacking = ", ".join(headers.missing(kind, names)) if kind else ""
    if lacking:
        yield f"{sheet.name} was left out: as a table of the kind {kind} it lacks {lacking}"
    else:
        yield f"{sheet.name} was left out: its headers are not those of a survey table"


def _tables(
    name: str, names: Sequence[str], kind: TableKind, body: Body, headers: Headers
) -> tuple[list[SurveyTable], list[str]]:
    """The tables a table is, and what is to be said of them."""
    table = _table(name, names, kind, body, headers)
    if kind != "point" or "connected" not in table.columns:
        return [table], []
    lines = _table(name, names, "line", body, headers)
    if not {"start", "end"} <= lines.columns.keys():
        return [table], []
    return connections(table, lines)


def _table(
    name: str, names: Sequence[str], kind: TableKind, body: Body, headers: Headers
) -> SurveyTable:
    fields = headers.fields(kind, names)
    taken = set(fields.values())
    filled = _filled(body)
    columns = {field: body.columns[at][filled] for field, at in fields.items()}
    own = [at for at, header in enumerate(names) if at not in taken and header and header not in SHAPE]  # fmt: skip
    others: dict[str, Texts] = {}
    for at in own:
        others.setdefault(names[at], body.columns[at][filled])
    shown = tuple(header for header in names if header not in SHAPE)
    return SurveyTable(name, kind, class_in_name(name), shown, columns, others, body.rows[filled])


def _filled(body: Body) -> NDArray[np.bool_]:
    """Which rows have anything in them, (n,)."""
    filled = np.zeros(len(body.rows), bool)
    for column in body.columns:
        if filled.all():
            break
        rest = np.flatnonzero(~filled)
        filled[rest] = column[rest] != ""
    return filled


def _system(table: SurveyTable, body: Body) -> str | None:
    """The reference system of a table's coordinates, where they are those of its shapes."""
    if table.kind != "point" or body.crs is None or not len(body.rows):
        return None
    north, east = (_median(column) for column in body.columns[-2:])
    x, y = _median(table.columns["x"]), _median(table.columns["y"])
    return body.crs if abs(x - north) < _AGREE and abs(y - east) < _AGREE else None


def _median(texts: Texts) -> float:
    numbers = []
    for text in texts.tolist():
        try:
            numbers.append(float(text))
        except ValueError:
            continue
    return float(np.median(numbers)) if numbers else np.nan
