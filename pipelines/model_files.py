"""What belongs to a model: its .inp file, and the table of the valves its network can be shut with."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import numpy as np

from cim_core.archives import bring_in, default_limits
from cim_core.errors import InvalidInput
from cim_core.layer import Dropped, Source
from cim_core.network import Network, Valves
from cim_core.progress import Progress

ENDING = ".inp"
COMPANION = ".valves.csv"
"""The ending of a valve table that lies beside a model of the same name."""

_LINK = ("link", "pipe", "link_id", "pipe_id", "segment", "管段", "管段编号", "管线编号")
_NODE = ("node", "node_id", "junction", "point", "点号", "节点", "节点编号", "管点编号")
_VALVE = ("valve", "valve_id", "id", "name", "阀门", "阀门编号")


@dataclass(frozen=True, slots=True)
class Files:
    """A model, and tables beside it that may be of its valves, with the names people know them by."""

    model: Path
    name: str
    tables: tuple[tuple[Path, str], ...]


@contextmanager
def files_of(source: Source, progress: Progress) -> Iterator[Files]:
    """The files of a model given as an .inp file, a folder or a .zip; raises `InvalidInput`."""
    path = source.path
    if path.is_dir():
        yield _in_folder(path, source.filename)
    elif path.suffix.lower() == ".zip":
        with TemporaryDirectory(prefix=".model-", dir=source.scratch) as folder:
            bring_in(path, source.filename, Path(folder), default_limits(), progress)
            yield _in_folder(Path(folder), source.filename)
    else:
        wanted = f"{path.name[: -len(ENDING)]}{COMPANION}".lower()
        beside = sorted(p for p in path.parent.iterdir() if p.name.lower() == wanted)
        yield Files(path, source.filename, tuple((p, p.name) for p in beside))


def valves_of(
    files: Files, network: Network, said: Mapping[str, Mapping[str, object]]
) -> tuple[Valves | None, list[Dropped], list[str]]:
    """The valves of a model's tables, None without any; the rows that name nothing, and warnings.

    A valve table names in each row a link and the node at the end of it that is shut; a column of
    valves says which rows are one valve. `said` has the names the model has for its features.
    """
    segments = _named(network.segments.ids.tolist(), said)
    nodes = _named(network.nodes.ids.tolist(), said)
    names: dict[str, int] = {}
    rows: list[tuple[int, int, int]] = []
    dropped: list[Dropped] = []
    warnings: list[str] = []
    read = 0
    for path, name in files.tables:
        table = _table(path)
        if table is None:
            warnings.append(
                f"{name} has no columns link and node, so that it is no table of valves; it was left out"
            )
            continue
        read += 1
        for line, link, node, valve in table:
            segment, at = segments.get(link, -1), nodes.get(node, -1)
            if segment < 0 or at < 0:
                reason = f"there is no link {link}" if segment < 0 else f"there is no node {node}"
                dropped.append(Dropped(f"{name}:{line}", "Valve", reason))
            elif at not in (network.segments.starts[segment], network.segments.ends[segment]):
                reason = f"the link {link} does not end at the node {node}"
                dropped.append(Dropped(f"{name}:{line}", "Valve", reason))
            else:
                rows.append((segment, at, names.setdefault(valve or f"{link}@{node}", len(names))))
    if not read:
        return None, dropped, warnings
    cuts = np.array(sorted(set(rows), key=lambda row: row[2]), np.int64).reshape(-1, 3)
    found = Valves(np.array(list(names), object), cuts[:, 0], cuts[:, 1], cuts[:, 2])
    return found, dropped, warnings


def _named(ids: Sequence[str], said: Mapping[str, Mapping[str, object]]) -> dict[str, int]:
    return {str(said.get(name, {}).get("model_id", name)): row for row, name in enumerate(ids)}


def _in_folder(folder: Path, name: str) -> Files:
    found = sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix.lower() == ENDING)
    if len(found) != 1:
        raise InvalidInput(
            f"{name} holds {len(found)} .inp files; give one model, with the tables of its valves if "
            "there are such"
        )
    tables = sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix.lower() == ".csv")
    return Files(
        found[0], PurePosixPath(name, found[0].relative_to(folder)).as_posix(),
        tuple((p, p.relative_to(folder).as_posix()) for p in tables),
    )  # fmt: skip


def _table(path: Path) -> list[tuple[int, str, str, str]] | None:
    """Line, link, node and valve of each row; None where it has no such columns."""
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("gb18030", "replace")
    reader = csv.reader(io.StringIO(text))
    header = [cell.strip().lower() for cell in next(reader, [])]
    link, node, valve = (_column(header, names) for names in (_LINK, _NODE, _VALVE))
    if link is None or node is None:
        return None
    return [
        (reader.line_num, _cell(cells, link), _cell(cells, node), _cell(cells, valve))
        for cells in reader
        if any(cells)
    ]


def _column(header: Sequence[str], names: Sequence[str]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)


def _cell(cells: Sequence[str], column: int | None) -> str:
    return cells[column].strip() if column is not None and column < len(cells) else ""
