"""Small sound surveys of pipes as tables, to be broken one cell at a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyproj

from cim_core.checkin import Finding, Rules, default_rules
from cim_core.frame import Frame, applied
from cim_core.layer import Dropped, Layer, Placement, Source
from cim_core.mesh import Floats
from cim_core.network import Rows
from cim_core.progress import Progress
from cim_core.work import Crew
from pipelines.quality import quality_findings
from pipelines.survey_importer import SurveyImporter
from pipelines.survey_network import survey_network
from pipelines.survey_tables import read_survey
from pipelines.survey_values import Notes

CRS = "EPSG:4547"
Tables = dict[str, list[list[str]]]
"""Rows by the name of the table, the headers first."""
Edit = Callable[[Tables], None]

POINT_HEADERS = "图上点号,物探点号,X,Y,地面高程,特征,附属物,井底深,要素代码,建设日期"
LINE_HEADERS = (
    "起点点号,终点点号,起点埋深,终点埋深,起点高程,终点高程,管径,材质,埋设方式,建设年代,使用状态"
)

WATER: Mapping[str, str] = {
    "JSPoint.csv": f"""{POINT_HEADERS}
JS1,JS1,2560000.000,500000.000,10.00,起止点,,,51042100,2010
JS2,JS2,2560000.000,500050.000,10.10,三通,,,51042100,2010
JS3,JS3,2560000.000,500100.000,10.20,,阀门,,51042204,2010
JS4,JS4,2560040.000,500050.000,10.10,弯头,,,,2010
JS5,JS5,2560040.000,500080.000,10.10,起止点,,,51042100,2010""",
    "JSLine.csv": f"""{LINE_HEADERS}
JS1,JS2,1.20,1.20,8.80,8.90,DN300,球墨铸铁,直埋,2010,在用
JS2,JS3,1.20,1.20,8.90,9.00,DN300,球墨铸铁,直埋,2010,在用
JS2,JS4,1.20,1.20,8.90,8.90,DN150,球墨铸铁,直埋,2010,在用
JS4,JS5,1.20,1.20,8.90,8.90,DN150,球墨铸铁,直埋,2010,在用""",
}
"""Two mains and a branch with a bend."""

SEWER: Mapping[str, str] = {
    "WSPoint.csv": f"""{POINT_HEADERS}
WS1,WS1,2560010.000,500000.000,10.00,,污水井,1.60,52022205,2012
WS2,WS2,2560010.000,500030.000,10.00,,污水井,1.75,52022205,2012
WS3,WS3,2560010.000,500060.000,10.00,,污水井,1.90,52022205,2012
WS4,WS4,2560010.000,500090.000,9.00,出水口,,,,2012""",
    "WSLine.csv": f"""{LINE_HEADERS},流向
WS1,WS2,1.60,1.75,8.40,8.25,DN300,PE,直埋,2012,在用,+
WS2,WS3,1.75,1.90,8.25,8.10,DN400,PE,直埋,2012,在用,+
WS3,WS4,1.90,1.05,8.10,7.95,DN400,PE,直埋,2012,在用,+""",
}
"""Three wells in a row and an outlet."""

GAS: Mapping[str, str] = {
    "RQPoint.csv": f"""{POINT_HEADERS}
RQ1,RQ1,2560020.000,500000.000,10.00,起止点,,,,2015
RQ2,RQ2,2560020.000,500040.000,10.00,起止点,,,,2015""",
    "RQLine.csv": f"""{LINE_HEADERS},压力
RQ1,RQ2,1.00,1.00,9.00,9.00,DN200,PE,直埋,2015,在用,中压A""",
}
"""A single main."""


def tables(text: Mapping[str, str]) -> Tables:
    """The rows of tables written as CSV."""
    return {name: [line.split(",") for line in body.splitlines()] for name, body in text.items()}


def cell(table: str, line: int, header: str, text: str) -> Edit:
    """Write something else into a cell; `line` counts as in the file, the header is line 1."""

    def edit(survey: Tables) -> None:
        rows = survey[table]
        rows[line - 1][rows[0].index(header)] = text

    return edit


def row(table: str, text: str) -> Edit:
    """Write a row at the end of a table."""
    return lambda survey: survey[table].append(text.split(","))


def header(table: str, old: str, new: str) -> Edit:
    """Call a column something else."""
    return cell(table, 1, old, new)


def without(table: str, name: str) -> Edit:
    """Leave out a column."""

    def edit(survey: Tables) -> None:
        at = survey[table][0].index(name)
        for cells in survey[table]:
            del cells[at]

    return edit


def write(survey: Tables, folder: Path) -> Path:
    """Write tables as CSV files into a folder."""
    folder.mkdir(exist_ok=True)
    for name, rows in survey.items():
        text = "\n".join(",".join(cells) for cells in rows)
        (folder / name).write_text(f"{text}\n", encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Checked:
    """What the check and the import of a survey say: findings, ids of features, what was left out."""

    findings: tuple[Finding, ...]
    ids: frozenset[str]
    dropped: tuple[Dropped, ...]


_TO_EARTH = pyproj.Transformer.from_crs(CRS, "EPSG:4490", always_xy=True)


def to_earth(written: Floats, _tables: Rows | None = None) -> Floats:
    """(n, 2) X (northing) and Y (easting) → (n, 2) longitude and latitude."""
    return applied(_TO_EARTH, written[:, ::-1])


def checked(
    survey: Tables, folder: Path, rules: Rules | None = None, city: Frame | None = None
) -> Checked:
    """A survey as it is imported, but for its layer and the search for its reference system."""
    tables = read_survey(write(survey, folder), folder.name, {}, Progress()).tables
    notes = Notes()
    placed = survey_network(tables, lambda written, _: to_earth(written), notes)
    found = quality_findings(tables, placed, rules or default_rules(), city)
    network = placed.network
    ids = frozenset([*network.nodes.ids.tolist(), *network.segments.ids.tolist()])
    return Checked(tuple(found), ids, tuple(notes.dropped))


def imported(folder: Path, rules: Rules | None = None) -> Layer:
    """The layer of the survey tables in a folder."""
    source = Source(
        folder, folder.name, "pipes", "pipes", Crew(workers=1), rules or default_rules()
    )
    return SurveyImporter()(source, Placement(crs=CRS), Progress())
