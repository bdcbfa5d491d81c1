"""`cim checkup`: examine, list, show, compare, submit, report; and the check-ups of a demo."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
from click.testing import Result
from typer.testing import CliRunner

from cim_core.city import City
from cim_core.errors import CimError, Conflict, InvalidInput, NotFound
from cim_core.store.office_audit import AuditQuery
from server.checkup.told import run_detail
from server.cli import app
from tests.support.checkups import (
    SET,
    checkup_city,
    estates,
    feature,
    import_layer,
    put_set,
    square,
)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIM_PASSWORD_MEMORY_KIB", "12288")
    monkeypatch.setenv("COLUMNS", "300")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Examined on the command line in 2025, and in 2026 with one estate better off."""
    folder = tmp_path_factory.mktemp("cli-checkup")
    made = City.open_or_create(folder / "city")
    checkup_city(made, folder / "files")
    put_set(made)
    order = ("--set", SET, "--year")
    assert "2025-1 (draft): 4 ready" in said(made, "run", *order, "2025").stdout
    import_layer(made, folder / "files", "estates", estates(missing=5))
    told = json.loads(said(made, "run", *order, "2026", "--title", "next", "--json").stdout)
    assert (told["id"], told["title"]) == ("2026-1", "next")
    yield made


def said(city: City, *arguments: str) -> Result:
    result = CliRunner().invoke(app, ["checkup", *arguments, "--city", str(city.folder)])
    assert result.exception is None, result.output
    return result


def refused(city: City, kind: type[CimError], *arguments: str) -> str:
    result = CliRunner().invoke(app, ["checkup", *arguments, "--city", str(city.folder)])
    assert isinstance(result.exception, kind), result.output
    return result.exception.sentence


def test_runs_are_listed_and_shown(city: City) -> None:
    table = said(city, "list").stdout
    assert "2026-1" in table and "2025-1" in table
    runs = json.loads(said(city, "list", "--json").stdout)["runs"]
    assert [run["id"] for run in runs] == ["2026-1", "2025-1"]
    shown = json.loads(said(city, "show", "2025-1", "--json").stdout)
    assert shown == run_detail(city, city.checkups.run("2025-1"))
    table = said(city, "show", "2025-1").stdout
    assert "90 (recalled)" in table and "(proxy)" in table and "no layer" in table
    assert "学校覆盖率" in said(city, "show", "2025-1", "--lang", "zh").stdout
    assert "there is no check-up" in refused(city, NotFound, "show", "1999-1")


def test_sets_are_listed(city: City) -> None:
    found = json.loads(said(city, "sets", "--json").stdout)["sets"]
    states = {one["id"]: one["state"] for one in found}
    assert states == {"mohurd-2025": "shipped", "mnr-2025": "shipped", SET: "draft"}
    assert "mohurd-2025" in said(city, "sets").stdout
    refused(city, NotFound, "run", "--set", "none", "--year", "2025")
    folder = city.folder / "checkup" / "sets" / "torn"
    folder.mkdir(parents=True)
    (folder / "set.toml").write_text("id = ", "utf-8")
    table = " ".join(said(city, "sets").stdout.split())
    (folder / "set.toml").unlink()
    assert "torn" in table and "cannot be" in table and "TOML" in table


def test_two_years_are_compared(city: City) -> None:
    table = said(city, "compare", "2025-1", "2026-1").stdout
    [row] = [line for line in table.splitlines() if "Parking missing" in line]
    assert "-25.00" in row and "yes" in row
    told = json.loads(said(city, "compare", "2025-1", "2026-1", "--json").stdout)
    assert len(told["changes"]) == 5


def test_a_run_is_submitted_once_its_set_stays(city: City) -> None:
    assert "was a draft" in refused(city, Conflict, "submit", "2025-1")
    city.checkups.sets.put("kept", city.checkups.sets.get(SET).document, None, None, state="frozen")
    run = json.loads(said(city, "run", "--set", "kept", "--year", "2027", "--json").stdout)["id"]
    said(city, "submit", run)
    assert city.checkups.run(run).state == "submitted"
    entries, _, _ = city.office.audit.find(AuditQuery(verb="manage"), 10)
    ours = [entry for entry in entries if entry.what == "cim checkup submit"]
    assert [(one.result, one.detail.get("checkup")) for one in ours] == [
        ("ok", run), ("failed", "2025-1"),
    ]  # fmt: skip


def test_reports_are_written_by_their_endings(city: City, tmp_path: Path) -> None:
    value = city.checkups.run("2025-1").indicator("16")["value"]["value"]
    said(city, "report", "2025-1", str(tmp_path / "r.xlsx"), "--lang", "en")
    book = openpyxl.load_workbook(io.BytesIO((tmp_path / "r.xlsx").read_bytes()))
    [page] = [sheet for sheet in book.worksheets if sheet.title.startswith("Appendix 1")]
    found = [row[2] for row in page.iter_rows(values_only=True) if row[0] == "16"]
    assert found == [pytest.approx(value, rel=1e-15)]
    said(city, "report", "2025-1", str(tmp_path / "r.parquet"))
    assert pq.read_table(tmp_path / "r.parquet").num_rows > 20
    sentence = refused(city, InvalidInput, "report", "2025-1", str(tmp_path / "r.txt"))
    assert ".docx" in sentence
    assert not (tmp_path / "r.txt").exists()


def test_a_demo_examines_each_year_after_its_layers(tmp_path: Path) -> None:
    def layer(year: int, name: str, features: list[dict[str, Any]]) -> dict[str, Any]:
        file = f"checkup-{year}/{name}.geojson"
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(
            json.dumps({"type": "FeatureCollection", "features": features})
        )
        return {
            "id": name,
            "file": file,
            "kind": "vector",
            "title": name,
            "crs": None,
            "options": {},
        }

    towns = [feature("t1", square(0, 0, 0, 1), name="街镇1", population=1000.0)]
    years = [
        {
            "year": year, "set": "mohurd-2025", "folder": f"checkup-{year}",
            "layers": [layer(year, "towns", towns), layer(year, "estates", estates(missing))],
        }
        for year, missing in ((2025, 30), (2026, 5))
    ]  # fmt: skip
    before = layer(2020, "estates", estates(50))
    document = {"name": "Demo", "layers": [before], "checkup": years}
    (tmp_path / "manifest.json").write_text(json.dumps(document), "utf-8")
    command = ["demo", str(tmp_path), "--city", str(tmp_path / "city")]
    first = CliRunner().invoke(app, command)
    assert first.exception is None, first.output
    city = City.open(tmp_path / "city")
    values = [run.indicator("28")["value"]["value"] for run in city.checkups.runs()]
    assert values == [5.0, 30.0]
    versions = {one.layer: one.version for one in city.layers.current()}
    assert versions["estates"] == 3
    again = CliRunner().invoke(app, command)
    assert again.exception is None, again.output
    assert "check-up 2026: unchanged" in again.stderr
    assert {one.layer: one.version for one in city.layers.current()} == versions
    assert len(city.checkups.runs()) == 2
