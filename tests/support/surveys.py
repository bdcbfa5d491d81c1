"""Survey tables of pipes as files, written by libraries that the importer does not read with."""

import csv
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import pyogrio.raw

Table = Sequence[Sequence[object]]

POINTS: Table = (
    ("物探点号", "图上点号", "X", "Y", "地面高程", "特征", "附属物", "井底深", "备注"),
    ("JS1", "JS1", 2556000.125, 443000.5, 12.3, "三通", "", "", ""),
    ("JS2", "JS2", 2556000.125, 443060.5, 12.5, "", "阀门井", 1.8, "路口, 东"),
    ("JS3", "JS3", 2556050.125, 443060.5, 12.75, "弯头", "", "", "井盖“旧”"),
)
LINES: Table = (
    ("起点点号", "终点点号", "起点埋深(m)", "终点埋深(m)", "管径(mm)", "材质", "埋设方式", "建设年代"),
    ("JS1", "JS2", 1.0, 1.1, 300, "QM", "ZM", "2008-05-01"),
    ("JS2", "JS3", 1.1, 1.25, "200", "PE", "直埋", 2010),
)  # fmt: skip


def csv_text(table: Table, delimiter: str = ",") -> str:
    """A table as a spreadsheet program writes it as text."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(table)
    return out.getvalue()


def write_csv(
    path: Path, table: Table, encoding: str = "utf-8", delimiter: str = ",", above: str = ""
) -> Path:
    """A text table; `above` are lines before the headers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((above + csv_text(table, delimiter)).encode(encoding))
    return path


def write_survey(folder: Path, points: Table = POINTS, lines: Table = LINES) -> Path:
    """A folder with the two tables of the water pipes."""
    write_csv(folder / "JSPoint.csv", points)
    write_csv(folder / "JSLine.csv", lines)
    return folder


def write_sheets(path: Path, sheets: dict[str, Table], driver: str) -> Path:
    """Tables without shapes, as GDAL writes them; all columns are texts.

    In a process of its own: in ours GDAL has none of the drivers that the product does without.
    """
    asked = json.dumps([str(path), {name: list(table) for name, table in sheets.items()}, driver])
    env = {name: value for name, value in os.environ.items() if name != "GDAL_SKIP"}
    done = subprocess.run(
        [sys.executable, __file__],
        input=asked,
        text=True,
        capture_output=True,
        env=env,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return path


def _write_sheets(path: str, sheets: dict[str, Table], driver: str) -> None:
    for number, (name, table) in enumerate(sheets.items()):
        columns = [np.array([str(v) for v in c], object) for c in zip(*table[1:], strict=True)]
        pyogrio.raw.write(
            path, geometry=None, field_data=columns, fields=np.array(table[0], object),
            layer=name, driver=driver, append=number > 0, geometry_type=None, crs=None,
            **({"encoding": "UTF-8"} if driver == "ESRI Shapefile" else {}),
        )  # fmt: skip


def write_ods(path: Path, sheets: dict[str, Table]) -> Path:
    """An OpenDocument spreadsheet: numbers as numbers, all else as text."""

    def cell(value: object) -> str:
        if isinstance(value, str):
            text = escape(value)
            return f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'
        return f'<table:table-cell office:value-type="float" office:value="{value}"><text:p>{value}</text:p></table:table-cell>'

    tables = "".join(
        f'<table:table table:name="{escape(name)}">'
        + "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in table)
        + "</table:table>"
        for name, table in sheets.items()
    )
    names = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
        archive.writestr(
            "content.xml",
            f"<office:document-content{names}><office:body><office:spreadsheet>{tables}"
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return path


if __name__ == "__main__":
    _write_sheets(*json.load(sys.stdin))
