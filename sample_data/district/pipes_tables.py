"""The pipes as the tables surveyors hand in: points and lines of each network, valves, customers."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import escape

import shapely

from sample_data.district.draft import Building
from sample_data.district.pipes_book import Point
from sample_data.district.pipes_mains import Net

ZONE = 38
"""The number of the 3-degree zone of 114 degrees east, which some write before eastings."""
CLASSES = {
    "water": "配水", "storm": "雨水", "sewage": "污水", "gas": "天然气", "power": "供电",
    "telecom": "信息网络",
}  # fmt: skip
PREFIXED = ("gas",)
CODES = {
    ("water", "阀门"): "51042204", ("water", "消防栓"): "51042202", ("water", "泵站"): "51042215",
    ("storm", "雨水井"): "52012205", ("storm", "雨水箅"): "52012204", ("sewage", "污水井"): "52022205",
}  # fmt: skip
"""Codes of points that could be read; others are left empty."""
LINE_CODES = {"water": "51041000", "storm": "52011000"}
PERSONS, LITRES, BUSINESS = 2.7, 180.0, 5.0
"""Persons in a household, litres a day for each, litres a day for a square metre of all else."""

Row = dict[str, str]


def folder_of(net: Net) -> str:
    """The folder the tables of a network stand in.

    >>> from types import SimpleNamespace
    >>> folder_of(SimpleNamespace(name="gas"))
    'survey-gas'
    """
    return f"survey-{net.name}"


def survey_files(nets: Mapping[str, Net]) -> Iterator[tuple[str, bytes]]:
    """The files of all surveys: their path in the district's folder and what they hold."""
    for name, net in nets.items():
        letters, rows = net.book.prefix, {"Point": _points(net), "Line": _lines(net)}
        if name == "telecom":
            yield f"{folder_of(net)}/{letters}.xlsx", workbook({f"{letters}{k}": r for k, r in rows.items()})  # fmt: skip
            continue
        encoding = "gb18030" if name == "storm" else "utf-8-sig" if name == "water" else "utf-8"
        for kind, table in rows.items():
            yield f"{folder_of(net)}/{letters}{kind}.csv", sheet(table, encoding)
        if name == "water":
            yield f"{folder_of(net)}/阀门表.csv", sheet(_valves(net), encoding)
            yield f"{folder_of(net)}/用户表.csv", sheet(_users(net), encoding)


def sheet(rows: Sequence[Row], encoding: str) -> bytes:
    """A table as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def _points(net: Net) -> list[Row]:
    east, north = net.of.plan.origin
    east += ZONE * 1e6 if net.name in PREFIXED else 0.0
    return [
        {
            "图上点号": point.number, "物探点号": point.number,
            "X": f"{point.y + north:.3f}", "Y": f"{point.x + east:.3f}",
            "地面高程": f"{point.ground:.3f}", "管线类型": CLASSES[net.name],
            "编码": CODES.get((net.name, point.appurtenance), ""),
            "特征": point.feature, "附属物": point.appurtenance,
            "井底深": "" if point.bottom is None else f"{point.bottom:.2f}",
            "权属单位": net.table["owners"][net.name], "建设年代": str(point.year),
            "道路名称": point.road, "探测日期": net.table["survey"],
        }
        for point in net.book.points
    ]  # fmt: skip


def _lines(net: Net) -> list[Row]:
    points = net.book.points
    return [
        {
            "起始点号": points[line.start].number, "终止点号": points[line.end].number,
            "管线类型": CLASSES[net.name], "编码": LINE_CODES.get(net.name, ""),
            "起点埋深": f"{line.depths[0]:.2f}", "终点埋深": f"{line.depths[1]:.2f}",
            "起点高程": _elevation(points[line.start], line.depths[0]),
            "终点高程": _elevation(points[line.end], line.depths[1]),
            "埋设方式": line.burial, "材质": line.material, "管径或断面尺寸": line.size, **line.more,
            "权属单位": net.table["owners"][net.name], "建设年代": str(line.year),
            "道路名称": line.road, "使用状态": line.status,
        }
        for line in net.book.lines
    ]  # fmt: skip


def _elevation(point: Point, depth: float) -> str:
    return f"{point.ground - depth:.3f}"


def _valves(net: Net) -> list[Row]:
    book = net.book
    sizes = {line.start: line.size for line in book.lines}
    rows: list[Row] = []
    for number, point in enumerate(book.points):
        if point.appurtenance == "阀门":
            rows.append(
                {
                    "阀门编号": f"FM{len(rows) + 1:04d}", "物探点号": point.number,
                    "阀门类型": "蝶阀" if sizes.get(number) in ("DN300", "DN400") else "闸阀",
                    "开关状态": "开", "口径": sizes.get(number, ""), "道路名称": point.road,
                }
            )  # fmt: skip
    return rows


def _users(net: Net) -> list[Row]:
    rows: list[Row] = []
    for number, (point, building) in enumerate(net.entries, 1):
        households, demand = _use(building)
        rows.append(
            {
                "用户编号": f"YH{number:05d}", "用户名称": building.zh,
                "物探点号": net.book.points[point].number, "户数": str(households),
                "日用水量(m3/d)": f"{demand:.2f}",
            }
        )  # fmt: skip
    return rows


def _use(building: Building) -> tuple[int, float]:
    """How many customers a building has, and what they use in a day (m³)."""
    floor = float(shapely.area(building.outline)) * building.floors
    if building.use == "residential":
        homes = max(1, round(floor / 95.0))
        return homes, homes * PERSONS * LITRES / 1000
    return 1, floor * BUSINESS / 1000


def workbook(sheets: Mapping[str, Sequence[Row]]) -> bytes:
    """Tables as an Excel workbook, a sheet for each, all cells texts or numbers as they look."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:

        def put(name: str, text: str) -> None:
            info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}')

        main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        package = "http://schemas.openxmlformats.org/package/2006"
        office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
        numbers = range(1, len(sheets) + 1)
        parts = "".join(f'<Override PartName="/xl/worksheets/sheet{i}.xml" ContentType="{kind}.worksheet+xml"/>' for i in numbers)  # fmt: skip
        put("[Content_Types].xml", f'<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>{parts}</Types>')  # fmt: skip
        put("_rels/.rels", f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>')  # fmt: skip
        names = "".join(f'<sheet name="{escape(name)}" sheetId="{i}" r:id="rId{i}"/>' for i, name in zip(numbers, sheets, strict=True))  # fmt: skip
        put("xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{names}</sheets></workbook>')  # fmt: skip
        links = "".join(f'<Relationship Id="rId{i}" Type="{office}/worksheet" Target="worksheets/sheet{i}.xml"/>' for i in numbers)  # fmt: skip
        put("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{package}/relationships">{links}</Relationships>')  # fmt: skip
        for i, rows in zip(numbers, sheets.values(), strict=True):
            cells = [list(rows[0]), *(list(row.values()) for row in rows)]
            body = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in cells)
            put(f"xl/worksheets/sheet{i}.xml", f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>')  # fmt: skip
    return stream.getvalue()


def _cell(text: str) -> str:
    if not text:
        return "<c/>"
    if text.replace(".", "", 1).removeprefix("-").isdigit():
        return f"<c><v>{text}</v></c>"
    return f'<c t="inlineStr"><is><t>{escape(text)}</t></is></c>'
