"""Tables with shapes that somebody brought: GeoPackage and zipped Shapefile."""

from pathlib import Path

import shapely

from cim_core.errors import InvalidInput
from cim_core.importers.table_file import read_table, table_infos
from server.renewal.given import GivenLine, GivenSheet, GivenValue

_ROWS = 20_000


def read_shapes(path: Path, name: str) -> list[GivenSheet]:
    """All tables of a file; the first line, number 0, has the names of the columns.

    Raises `InvalidInput`.
    """
    sheets = []
    for info in table_infos(path, name):
        table = read_table(path, name, info.name, None)
        if len(table.rows) > _ROWS:
            raise InvalidInput(
                f"{name} has more than {_ROWS} rows in {info.name}; leave out what is no project"
            )
        header: list[GivenValue] = list(table.columns)
        lines = [GivenLine(0, header)]
        for number, (row, shape) in enumerate(zip(table.rows, table.shapes, strict=True)):
            values = [_plain(column[number]) for column in table.columns.values()]
            wkb = None if shape is None else shapely.to_wkb(shapely.force_2d(shape), hex=True)
            lines.append(GivenLine(int(row), values, wkb))
        sheets.append(GivenSheet(table.name, lines, table.crs))
    return sheets


def _plain(value: object) -> GivenValue:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    isoformat = getattr(value, "isoformat", None)
    return str(isoformat()) if isoformat else str(value)
