"""What a check-in finds is kept with the version and served; what is refused leaves no trace."""

import csv
import io
import json
from pathlib import Path

import pytest

from cim_core.checkin import default_rules, rules_for
from cim_core.city import City
from cim_core.draft import CHECKIN
from server.checkin import COLUMNS, Refused, as_csv
from tests.conftest import import_file
from tests.support import ifc_faults as faults
from tests.support.ifc_factory import write_ifc
from tests.support.ifc_faults import CLEAN
from tests.support.serving import Server
from tests.support.warm import cim


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """A file with an open solid and a box without a name."""
    path = tmp_path / "faulty.ifc"
    write_ifc(path, CLEAN, faults.elevated, faults.brep_without(1), faults.named("Name", None, 2))
    return path


def refuse(city: City, *rules: str) -> None:
    lines = [f"[{rule}]\nrefuse = true\n" for rule in rules]
    (city.folder / "checkin.toml").write_text("".join(lines))


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_report_of_an_import_is_kept_and_served_with_its_version(
    server: Server, faulty: Path, city: City
) -> None:
    done = server.finished(server.upload(faulty)["jobID"])
    told = done["report"]["checkin"]
    assert told["counts"] == {"error": 0, "warning": 1, "note": 1}
    assert told["href"] == "/collections/faulty/versions/1/checkin"
    assert server.client.get("/collections/faulty").json()["checkin"] == told
    [version] = server.client.get("/collections/faulty/versions").json()["versions"]
    assert version["checkin"] == told
    answer = server.client.get(told["href"])
    assert answer.headers["content-type"] == "application/json"
    report = answer.json()
    assert report == json.loads((city.layers_folder / "faulty/1" / CHECKIN).read_bytes())
    assert (report["file"], report["layer"], report["refused"]) == ("faulty.ifc", "faulty", False)
    open_shell, nameless = report["findings"]
    assert [open_shell["severity"], nameless["severity"]] == ["warning", "note"]
    assert open_shell["value"] == pytest.approx(4.0)
    assert (open_shell["limit"], open_shell["unit"]) == (0.001, "m")
    assert open_shell["storey"] == "1F"
    assert "open edges of 4 m in all; 0.001 m are allowed" in open_shell["en"]
    assert "总长 4 米的开口边；允许 0.001 米" in open_shell["zh"]
    item = server.client.get(f"/collections/faulty/items/{open_shell['id']}").json()
    west, south, bottom, east, north, top = item["bbox"]
    assert west < open_shell["lon"] < east
    assert south < open_shell["lat"] < north
    assert bottom < open_shell["height"] < top
    by_id = {rule["id"]: rule for rule in report["rules"]}
    assert list(by_id) == list(rules_for("models", default_rules())), "none of those for pipes"
    assert {name: rule["count"] for name, rule in by_id.items() if rule["count"]} == {
        "shell-open": 1, "no-name": 1,
    }  # fmt: skip


@pytest.mark.parametrize("way", [{"params": {"f": "csv"}}, {"headers": {"accept": "text/csv"}}])
def test_the_report_is_a_table_too(way: dict, sample_server: Server, sample_city: City) -> None:
    layer = sample_city.layers.get("office")
    answer = sample_server.client.get(
        f"/collections/office/versions/{layer.version}/checkin", **way
    )
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows == [list(COLUMNS)], "the sample buildings have no findings"


def test_a_name_from_a_file_is_no_formula_in_a_spreadsheet(city: City, tmp_path: Path) -> None:
    formula = '=HYPERLINK("http://a.example","b")'
    fault = (faults.brep_without(1), faults.named("Name", formula))
    write_ifc(tmp_path / "a.ifc", CLEAN, faults.elevated, *fault)
    import_file(city, tmp_path / "a.ifc")
    report = json.loads((city.layers_folder / "a/1" / CHECKIN).read_bytes())
    assert report["findings"][0]["name"] == formula
    [row] = csv.DictReader(io.StringIO(as_csv(report).decode("utf-8-sig")))
    assert row["name"] == f"'{formula}"
    assert float(row["value"]) == pytest.approx(4.0)


def test_what_has_no_report_is_not_found(server: Server) -> None:
    for address in (
        "/collections/nope/versions/1/checkin", "/refused/nope.json", "/refused/..%2fcity.toml",
        "/refused/a-0123456789ab.json",
    ):  # fmt: skip
        assert server.client.get(address).status_code == 404, address


def test_a_refused_import_fails_its_job_and_leaves_the_city_as_it_was(
    server: Server, faulty: Path, city: City, tmp_path: Path
) -> None:
    write_ifc(tmp_path / "sound.ifc", CLEAN, faults.elevated)
    server.finished(server.upload(tmp_path / "sound.ifc", layer="house")["jobID"])
    refuse(city, "no-name", "shell-open", "no-storey")
    before, layers = files(city.layers_folder), server.client.get("/collections").json()
    done = server.finished(server.upload(faulty, layer="house")["jobID"])
    assert done["status"] == "failed"
    assert done["report"] is None
    problem = done["problem"]
    assert (problem["status"], problem["title"]) == (422, "Invalid input")
    sentence = problem["detail"]
    assert (
        "faulty.ifc is refused by the check-in rules: Solid not closed (1), No name (1)" in sentence
    )
    assert "open edges of 4 m" in sentence
    assert sentence.endswith(problem["checkin"]["href"])
    assert (
        "faulty.ifc 未通过入库检查，已拒绝入库：实体未封闭（1）、无名称（1），首项："
        in problem["detail_zh"]
    )
    assert "4 米的开口边" in problem["detail_zh"]
    assert problem["checkin"]["counts"] == {"error": 0, "warning": 1, "note": 1}
    report = server.client.get(problem["checkin"]["href"]).json()
    assert report["refused"] is True
    assert [finding["rule"] for finding in report["findings"]] == ["shell-open", "no-name"]
    table = server.client.get(problem["checkin"]["href"], params={"f": "csv"}).text
    assert len(list(csv.reader(io.StringIO(table)))) == 3
    assert files(city.layers_folder) == before
    assert server.client.get("/collections").json() == layers
    versions = server.client.get("/collections/house/versions").json()["versions"]
    assert [version["version"] for version in versions] == [1]
    assert list(city.uploads_folder.iterdir()) == []


def test_a_first_import_that_is_refused_gives_the_city_no_place(city: City, faulty: Path) -> None:
    refuse(city, "shell-open")
    with pytest.raises(Refused, match=r"faulty\.ifc is refused"):
        import_file(city, faulty)
    assert city.settings.frame is None
    assert city.layers.current() == []
    assert city.layers.unfinished() == []
    assert not any(city.layers_folder.rglob("*"))
    with pytest.raises(Refused):
        import_file(city, faulty)
    assert len(list(city.refused_folder.iterdir())) == 1, "the same report is kept once"


def test_reports_of_refused_files_do_not_pile_up(
    city: City, faulty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.checkin._REFUSED_KEPT", 2)
    refuse(city, "shell-open")
    for layer in ("one", "two", "three"):
        with pytest.raises(Refused):
            import_file(city, faulty.rename(faulty.with_name(f"{layer}.ifc")))
        faulty = faulty.with_name(f"{layer}.ifc")
    assert {path.name.split("-")[0] for path in city.refused_folder.iterdir()} == {"two", "three"}


def test_a_mistake_in_the_rules_fails_the_import_with_its_place(
    server: Server, faulty: Path, city: City
) -> None:
    refuse(city, "no-such-rule")
    done = server.finished(server.upload(faulty)["jobID"])
    assert done["status"] == "failed"
    assert "names the check-in rule 'no-such-rule'" in done["problem"]["detail"]
    assert "入库检查规则“no-such-rule”不存在" in done["problem"]["detail_zh"]
    assert server.client.get("/checkin/rules").status_code == 422
    refuse(city, "no-name")
    rules = server.client.get("/checkin/rules").json()["rules"]
    assert [rule["id"] for rule in rules if rule["refuse"]] == ["no-name"]


def test_tiling_again_keeps_the_report(city: City, faulty: Path) -> None:
    from cim_core.progress import Progress
    from server.ingest import retile

    first = import_file(city, faulty)
    again = retile(city, "faulty", Progress())
    assert again["checkin"] == {
        "counts": first["checkin"]["counts"], "href": "/collections/faulty/versions/2/checkin",
    }  # fmt: skip
    one, two = (city.layers_folder / "faulty" / v / CHECKIN for v in ("1", "2"))
    assert one.read_bytes() == two.read_bytes()


def test_many_findings_of_one_rule_are_counted_and_the_first_are_listed(
    city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.checkin._LISTED", 2)
    write_ifc(tmp_path / "a.ifc", CLEAN, *(faults.named("Name", None, n) for n in range(4)))
    report = import_file(city, tmp_path / "a.ifc")
    assert report["checkin"]["counts"] == {"error": 0, "warning": 1, "note": 4}
    kept = json.loads((city.layers_folder / "a/1" / CHECKIN).read_bytes())
    assert [finding["rule"] for finding in kept["findings"]] == [
        "storey-without-elevation", "no-name", "no-name",
    ]  # fmt: skip


def test_check_prints_the_findings_and_publishes_nothing(faulty: Path, tmp_path: Path) -> None:
    table = tmp_path / "findings.csv"
    done = cim("check", faulty, "--csv", table)
    assert done.returncode == 0, done.stderr
    assert "shell-open" in done.stdout
    assert "0 errors, 1 warning, 1 note" in done.stdout
    rows = list(csv.DictReader(io.StringIO(table.read_text("utf-8-sig"))))
    assert [row["rule"] for row in rows] == ["shell-open", "no-name"]
    assert set(tmp_path.iterdir()) == {faulty, table}
    document = json.loads(cim("check", faulty, "--json").stdout)
    assert document["refused"] is False
    assert len(document["findings"]) == 2


def test_check_by_a_citys_rules_ends_with_4_when_the_file_would_be_refused(
    faulty: Path, city: City
) -> None:
    refuse(city, "shell-open")
    before = files(city.folder)
    done = cim("check", faulty, "--city", city.folder)
    assert done.returncode == 4
    assert "faulty.ifc is not let in by the check-in rules: Solid not closed (1)" in done.stderr
    as_json = cim("check", faulty, "--city", city.folder, "--json")
    assert as_json.returncode == 4
    assert json.loads(as_json.stdout)["refused"] is True
    assert files(city.folder) - before <= {"city.gpkg-wal", "city.gpkg-shm"}
    imported = cim("import", faulty, "--city", city.folder, "--json")
    assert imported.returncode == 4
    problem = json.loads(imported.stdout)
    assert (city.folder / problem["checkin"]["href"][1:]).is_file()
    assert cim("check", "nowhere.ifc").returncode == 3


def test_rules_lists_the_rules_in_force(city: City) -> None:
    refuse(city, "shell-open")
    rules = json.loads(cim("rules", "--city", city.folder, "--json").stdout)["rules"]
    assert [rule["id"] for rule in rules] == list(default_rules())
    assert [rule["id"] for rule in rules if rule["refuse"]] == ["shell-open"]
    printed = cim("rules").stdout
    assert [name for name in default_rules() if name not in printed] == []
