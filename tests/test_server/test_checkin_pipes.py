"""The check-in of survey tables: reports that list rules for pipes, as a table and as a map."""

import csv
import io
import json
import re
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from cim_core.checkin import default_rules, rules_for
from cim_core.city import City
from cim_core.layer import Layer
from cim_core.receipt import Input
from server.checkin import report
from tests.support.serving import Server
from tests.support.survey_faults import CRS, WATER, Tables, cell, checked, row, tables, write
from tests.support.warm import cim
from tests.test_pipelines.test_quality import CASES
from tests.test_pipelines.test_quality import broken as broken_by


def broken() -> Tables:
    """A bend with another material behind it, a line to nowhere, and a nameless column."""
    survey = tables(WATER)
    for edit in (
        cell("JSLine.csv", 5, "材质", "PE"),
        row("JSLine.csv", "JS3,JS99,1.20,1.20,9.00,8.90,DN300,球墨铸铁,直埋,2010,在用"),
        cell("JSPoint.csv", 1, "建设日期", ""),
    ):
        edit(survey)
    return survey


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(broken(), tmp_path / "water")


@pytest.fixture
def archive(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as out:
        for file in sorted(folder.iterdir()):
            out.write(file, file.name)
    return path


def test_a_survey_has_a_report_of_the_rules_for_pipes_as_json_csv_and_map(
    server: Server, archive: Path
) -> None:
    done = server.finished(server.upload(archive, crs=CRS)["jobID"])
    told = done["report"]["checkin"]
    assert told["counts"] == {"error": 2, "warning": 1, "note": 0}
    report = server.client.get(told["href"]).json()
    assert [rule["id"] for rule in report["rules"]] == [*rules_for("pipes", default_rules())]
    nameless, nowhere, material = report["findings"]
    assert (nameless["rule"], nameless["table"], nameless["line"]) == ("table-header-empty", "JSPoint.csv", 1)  # fmt: skip
    assert nowhere["en"] == "JS3–JS99 (JSLine.csv:6): there is no point JS99"
    assert nowhere["zh"] == "JS3–JS99（JSLine.csv:6）：点表中没有点 JS99"
    assert (nowhere["id"], nowhere["name"]) == (None, "JS3–JS99")
    item = server.client.get(f"/collections/water/items/{material['id']}").json()
    assert item["properties"]["material"] == "PE"
    assert "at a point that is no 变材, 变径, 变质" in material["en"]

    table = server.client.get(told["href"], params={"f": "csv"}).content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [(row["table"], row["line"]) for row in rows] == [
        ("JSPoint.csv", "1"), ("JSLine.csv", "6"), ("JSLine.csv", "5"),
    ]  # fmt: skip

    for way in ({"params": {"f": "geojson"}}, {"headers": {"accept": "application/geo+json"}}):
        answer = server.client.get(told["href"], **way)
        assert answer.headers["content-type"] == "application/geo+json"
        assert (
            answer.headers["content-disposition"]
            == 'attachment; filename="water-1-checkin.geojson"'
        )
        points = [feature["geometry"] for feature in answer.json()["features"]]
        assert points[0] is None, "a header is nowhere"
        west, south, east, north = (
            item["bbox"][0],
            item["bbox"][1],
            item["bbox"][3],
            item["bbox"][4],
        )
        lon, lat, height = points[2]["coordinates"]
        assert west - 1e-8 <= lon <= east + 1e-8
        assert south - 1e-8 <= lat <= north + 1e-8
        assert height == pytest.approx(8.9)
        assert answer.json()["features"][2]["properties"]["rule"] == "material-changes"


def test_a_city_refuses_a_survey_by_its_own_rules(
    server: Server, archive: Path, city: City
) -> None:
    (city.folder / "checkin.toml").write_text("[line-point-missing]\nrefuse = true\n")
    done = server.finished(server.upload(archive, crs=CRS)["jobID"])
    problem = done["problem"]
    assert (
        "water.zip is refused by the check-in rules: Point not in the table (1)"
        in problem["detail"]
    )
    assert "water.zip 未通过入库检查，已拒绝入库：引用的点不存在（1）" in problem["detail_zh"]
    answer = server.client.get(problem["checkin"]["href"], params={"f": "geojson"})
    assert len(answer.json()["features"]) == 3
    assert city.layers.current() == []


def test_check_looks_at_a_folder_of_tables_without_a_city(folder: Path, tmp_path: Path) -> None:
    map_file, table = tmp_path / "map.geojson", tmp_path / "findings.csv"
    done = cim(
        "check", folder, "--as", "pipes", "--crs", CRS, "--geojson", map_file, "--csv", table
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "line-point-missing" in done.stdout
    assert "JSLine.csv:6" in done.stdout
    assert "2 errors, 1 warning, 0 notes" in done.stdout
    features = json.loads(map_file.read_text("utf-8"))["features"]
    rows = list(csv.DictReader(io.StringIO(table.read_text("utf-8-sig"))))
    assert [feature["properties"]["rule"] for feature in features] == [row["rule"] for row in rows]
    assert cim("check", tmp_path / "nowhere").returncode == 3


def test_every_finding_is_a_whole_sentence_in_both_languages(tmp_path: Path) -> None:
    said = []
    for number, case in enumerate(CASES):
        findings = checked(broken_by(case), tmp_path / str(number)).findings
        layer = SimpleNamespace(id="pipes", kind="network", findings=findings, roads=None)
        document = report(cast("Layer", layer), default_rules(), Input("a.csv", "", 0))
        said += [finding[language] for finding in document["findings"] for language in ("en", "zh")]
    assert len(said) >= 2 * len(CASES)
    assert [sentence for sentence in said if re.search(r"None|[{}]|\(:|（:|:\)", sentence)] == []
