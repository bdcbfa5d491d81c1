"""A folder of mixed files: planned, imported file by file, gone on with, failures and all."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cim_core.city import City
from cim_core.errors import Cancelled, CimError, InvalidInput
from cim_core.progress import Progress
from cim_core.work import Crew
from server.cli import app
from server.folder_import import FolderUpload, import_folder
from server.folder_plan import Item, plan_folder
from tests.support import tilesets
from tests.support.ifc_factory import Recipe, write_ifc
from tests.support.serving import Server
from tests.support.warm import cim

RUNNER = CliRunner()

GEOJSON = json.dumps(
    {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": {"name": "here"},
             "geometry": {"type": "Point", "coordinates": [113.46, 23.10]}}
        ],
    }
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, data: Path) -> Path:
    """Some of everything, good and bad."""
    folder = tmp_path / "everything"
    (folder / "north" / "scan").mkdir(parents=True)
    for name in ("ahn3_c25gn1_6.laz", "ahn3_c25gn1_7.laz"):  # cut to their header they still plan
        shutil.copy(data / "pointcloud" / name, folder / "north" / "scan")
    shutil.copy(data / "pointcloud" / "warsaw_small.las", folder / "cloud.las")
    (folder / "stops.geojson").write_text(GEOJSON)
    (folder / "north" / "stops.geojson").write_text(GEOJSON)
    write_ifc(folder / "house.ifc", Recipe(boxes=1, latlon=((23, 6, 0, 0), (113, 27, 36, 0))))
    (folder / "broken.ifc").write_text("ISO-10303-21;")
    (folder / "plan.dwg").write_bytes(b"AC1032")
    (folder / "readme.txt").write_text("Hello.")
    (folder / ".hidden.las").touch()
    (folder / "link.ifc").symlink_to(folder / "house.ifc")
    tilesets.write_folder(folder / "tiles", tilesets.whole())
    for ending in ("shp", "shx", "dbf", "prj"):
        (folder / f"Parcels.{ending}").touch()
    return folder


def by_name(items: list[Item]) -> dict[str, Item]:
    return {item.name: item for item in items}


def test_the_plan_says_what_would_become_of_each_file(folder: Path) -> None:
    plan = by_name(plan_folder(folder))
    assert list(plan) == [
        "Parcels.shp", "broken.ifc", "cloud.las", "house.ifc", "north/scan", "north/stops.geojson",
        "plan.dwg", "stops.geojson", "tiles",
    ]  # fmt: skip
    assert plan["Parcels.shp"].files == 4
    assert (plan["cloud.las"].kind, plan["cloud.las"].needs_crs) == ("points", True)
    scans = plan["north/scan"]
    assert (scans.kind, scans.layer, scans.files) == ("points", "scan", 2)
    assert scans.bytes == sum(p.stat().st_size for p in scans.path.iterdir())
    assert (plan["stops.geojson"].kind, plan["stops.geojson"].crs) == ("vector", "EPSG:4326")
    assert not plan["stops.geojson"].needs_crs
    assert plan["tiles"].kind == "tileset"
    assert plan["plan.dwg"].refusal is not None
    assert "CAD drawing" in plan["plan.dwg"].refusal
    layers = [item.layer for item in plan.values() if item.refusal is None]
    assert len(set(layers)) == len(layers), "two files of one name are two layers"


def test_files_side_by_side_are_one_layer_only_when_told_or_below(
    data: Path, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        shutil.copy(data / "pointcloud" / "warsaw_small.las", tmp_path / f"{name}.las")
    assert [item.name for item in plan_folder(tmp_path)] == ["a.las", "b.las"]
    whole = plan_folder(tmp_path, mosaic=True)
    assert [(item.path, item.files) for item in whole] == [(tmp_path, 2)]
    (tmp_path / "stops.geojson").write_text(GEOJSON)
    assert len(plan_folder(tmp_path, mosaic=True)) == 3, "only what is of one kind is one layer"


def statuses(report: dict) -> dict[str, str]:
    return {item["file"]: item["status"] for item in report["items"]}


def test_a_folder_is_imported_whatever_becomes_of_single_files(folder: Path, city: City) -> None:
    steps: list[tuple[int, int, str]] = []
    told: list[str] = []
    progress = Progress(lambda *step: steps.append(step))
    first = import_folder(
        city, FolderUpload(folder), Crew(), progress, told=lambda entry: told.append(entry["file"])
    )
    assert statuses(first) == {
        "Parcels.shp": "refused", "broken.ifc": "failed", "cloud.las": "failed", "house.ifc": "imported",
        "north/scan": "failed", "north/stops.geojson": "imported", "plan.dwg": "refused",
        "stops.geojson": "imported", "tiles": "imported",
    }  # fmt: skip
    assert first["counts"] == {"imported": 4, "unchanged": 0, "failed": 3, "refused": 2}
    assert told == list(statuses(first))
    done = [step[0] for step in steps]
    assert done == sorted(done), "progress never goes back"
    assert {step[2] for step in steps} == {"importing"}
    failed = {
        item["file"]: item["problem"] for item in first["items"] if item["status"] == "failed"
    }
    assert "say it with --crs" in failed["cloud.las"]["detail"]
    assert "detail_zh" in failed["cloud.las"]
    published = {version.layer: version.version for version in city.layers.current()}

    # The same command again, with what was missing; a new file and a changed one.
    (folder / "house.ifc").write_bytes((folder / "house.ifc").read_bytes() + b"\n")
    (folder / "new.geojson").write_text(GEOJSON)
    for path in folder.glob("Parcels.*"):
        path.unlink()
    second = import_folder(city, FolderUpload(folder, "EPSG:2180"), Crew(), Progress())
    kept = {file: status for file, status in statuses(second).items() if file != "north/scan"}
    assert kept == {
        "broken.ifc": "failed", "cloud.las": "imported", "house.ifc": "imported",
        "new.geojson": "imported", "north/stops.geojson": "unchanged", "plan.dwg": "refused",
        "stops.geojson": "unchanged", "tiles": "unchanged",
    }  # fmt: skip
    again = {version.layer: version.version for version in city.layers.current()}
    assert again["house"] > published["house"]
    assert all(again[layer] == number for layer, number in published.items() if layer != "house")

    # What was said before holds when nothing is said.
    third = import_folder(city, FolderUpload(folder), Crew(), Progress())
    assert statuses(third)["cloud.las"] == "unchanged"


def test_a_folder_of_scans_is_one_cloud(data: Path, tmp_path: Path, city: City) -> None:
    for name in ("ahn3_c25gn1_6.laz", "ahn3_c25gn1_7.laz"):
        (tmp_path / "all" / "ahn").mkdir(parents=True, exist_ok=True)
        shutil.copy(data / "pointcloud" / name, tmp_path / "all" / "ahn")
    order = FolderUpload(tmp_path / "all", "EPSG:7415")
    report = import_folder(city, order, Crew(), Progress())
    assert statuses(report) == {"ahn": "imported"}
    rows = list(city.features.all("ahn", 1))
    assert [row.feature.attributes["points"] for row in rows] == [111_858, 106_232]


def test_a_cancelled_folder_keeps_what_was_done(folder: Path, city: City) -> None:
    told: list[str] = []
    progress = Progress(cancelled=lambda: "house.ifc" in told)
    with pytest.raises(Cancelled):
        import_folder(
            city,
            FolderUpload(folder),
            Crew(),
            progress,
            told=lambda entry: told.append(entry["file"]),
        )
    assert [version.layer for version in city.layers.current()] == ["house"]
    goes_on = statuses(import_folder(city, FolderUpload(folder), Crew(), Progress()))
    assert (goes_on["house.ifc"], goes_on["tiles"]) == ("unchanged", "imported")


def run(*arguments: object) -> Result:
    """The command in this process, which need not load everything again."""
    done = RUNNER.invoke(app, ["import", *map(str, arguments)], env={"COLUMNS": "200"})
    if isinstance(done.exception, CimError):
        raise done.exception
    return done


def test_the_command_plans_imports_and_says_what_it_did(folder: Path, tmp_path: Path) -> None:
    shutil.rmtree(folder / "north")
    city = tmp_path / "new"
    planned = run(folder, "--city", city, "--plan", "--json")
    assert planned.exit_code == 0
    items = json.loads(planned.stdout)["items"]
    assert {item["file"] for item in items} >= {"cloud.las", "tiles"}
    shown = run(folder, "--city", city, "--plan").stdout
    assert "missing" in shown
    assert "not read" in shown
    assert not city.exists(), "a plan changes nothing"

    done = cim("import", folder, "--city", city, "--json")
    assert done.returncode == 11, done.stderr
    assert json.loads(done.stdout)["counts"]["imported"] == 3
    assert "imported house.ifc → layer house, version 1" in done.stderr
    for path in (folder / "broken.ifc", *folder.glob("Parcels.*")):
        path.unlink()
    again = run(folder, "--city", city, "--crs", "EPSG:2180")
    assert again.exit_code == 0
    assert "1 imported, 3 unchanged, 0 failed, 1 not read" in again.stdout
    jobs = City.open(city).jobs.newest(5)
    assert [(job.type, job.status) for job in jobs] == [("folder", "successful")] * 2
    with pytest.raises(InvalidInput, match="is a folder of many"):
        run(folder, "--city", city, "--layer", "one")
    with pytest.raises(InvalidInput, match="--plan is for folders"):
        run(folder / "house.ifc", "--city", city, "--plan")


def test_a_whole_folder_is_one_layer_when_it_is_said_what_it_is(data: Path, tmp_path: Path) -> None:
    scans, city = tmp_path / "scans.2024", tmp_path / "new"
    scans.mkdir()
    shutil.copy(data / "pointcloud" / "warsaw_small.las", scans)
    tiles = tilesets.write_folder(tmp_path / "tiles", tilesets.whole())
    done = run(scans, "--as", "points", "--crs", "EPSG:2180", "--city", city, "--json")
    assert json.loads(done.stdout)["layer"] == "scans-2024"
    done = run(tiles, "--city", city, "--option", "note=hello", "--json")
    assert json.loads(done.stdout)["layer"] == "tiles"
    with pytest.raises(InvalidInput, match="write name=value"):
        run(tiles, "--option", "note", "--city", city)


def test_a_posted_archive_of_a_folder_is_imported_file_by_file(
    server: Server, city: City, tmp_path: Path
) -> None:
    files = {"a/stops.geojson": GEOJSON.encode(), "plan.dwg": b"AC1032", "broken.las": b"LASF"}
    path = tilesets.write_zip(tmp_path / "all.zip", files)
    job = server.finished(server.upload(path, kind="folder")["jobID"], seconds=120)
    assert (job["type"], job["status"], job["filename"]) == ("folder", "successful", "all.zip")
    assert statuses(job["report"]) == {
        "a/stops.geojson": "imported", "broken.las": "failed", "plan.dwg": "refused"
    }  # fmt: skip
    assert server.client.get("/collections/stops").json()["numberOfFeatures"] == 1
    assert list(city.uploads_folder.iterdir()) == [], "the upload is not kept"
    wrong = server.client.post(
        "/imports", params={"filename": "a.tif", "kind": "folder"}, content=b""
    )
    assert (wrong.status_code, "no .zip of a folder" in wrong.json()["detail"]) == (415, True)
