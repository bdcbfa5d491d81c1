"""Uploads become jobs, jobs become layers; what cannot be is said in one sentence."""

import json
import time
from pathlib import Path

import pytest

from cim_core.city import City
from tests.support.ifc_factory import Recipe, write_ifc
from tests.support.serving import Server

ANCHORED = Recipe(boxes=4, latlon=((23, 6, 21, 600000), (113, 27, 32, 400000)), elevation=20.0)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    write_ifc(tmp_path / "small.ifc", ANCHORED)
    return tmp_path / "small.ifc"


def test_a_file_posted_as_the_body_becomes_a_layer(server: Server, small: Path, city: City) -> None:
    job = server.upload(small, title="Small house")
    assert job["status"] in ("accepted", "running")
    done = server.finished(job["jobID"])
    assert done["status"] == "successful", done
    report = done["report"]
    assert set(report) >= {
        "layer", "version", "features", "dropped", "georeference", "tileset", "bytes"
    }  # fmt: skip
    assert (report["layer"], report["version"], report["features"]) == ("small", 1, 4)
    assert server.client.get(report["tileset"]).status_code == 200
    assert server.client.get("/collections/small").json()["title"] == "Small house"
    assert city.settings.frame is not None, "the city now has a place"
    assert list(city.uploads_folder.iterdir()) == [], "the upload is not kept"


def test_a_file_posted_as_a_form_becomes_a_layer(server: Server, small: Path) -> None:
    answer = server.client.post(
        "/imports?layer=formed", files={"file": ("house.ifc", small.read_bytes())}
    )
    assert answer.status_code == 202, answer.text
    done = server.finished(answer.json()["jobID"])
    assert done["report"]["layer"] == "formed"
    assert done["filename"] == "house.ifc"


def test_names_with_chinese_letters_keep_their_title(server: Server, small: Path) -> None:
    answer = server.client.post(
        "/imports", params={"filename": "黄埔某楼.ifc"}, content=small.read_bytes()
    )
    done = server.finished(answer.json()["jobID"])
    collection = server.client.get(f"/collections/{done['report']['layer']}").json()
    assert collection["title"] == "黄埔某楼"
    assert collection["id"].startswith("layer-")


def test_a_job_tells_its_progress_as_it_goes(server: Server, sample: Path) -> None:
    job = server.upload(sample / "office.ifc")
    seen = []
    with server.client.stream("GET", f"/jobs/{job['jobID']}/events", timeout=60) as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        for line in events.iter_lines():
            if line.startswith("data:"):
                seen.append(json.loads(line[5:]))
    assert seen[0]["status"] in ("accepted", "running")
    assert seen[-1]["status"] == "successful"
    notes = {event["steps"]["note"] for event in seen}
    assert "geometry" in notes
    assert all((event["remaining_seconds"] or 0) >= 0 for event in seen)
    assert seen[-1]["remaining_seconds"] is None
    assert len(seen) >= 4


def test_the_citys_news_reaches_listeners_whoever_caused_it(
    server: Server, small: Path, city: City
) -> None:
    from tests.conftest import import_file

    with server.client.stream("GET", "/events", timeout=60) as events:
        lines = events.iter_lines()
        import_file(city, small)  # in this process, not the server's
        for line in lines:
            if line == "event: layer":
                break
        assert json.loads(next(lines).removeprefix("data:")) == {"id": "small", "version": 1}


def test_a_running_job_can_be_cancelled(server: Server, sample: Path, city: City) -> None:
    job = server.upload(sample / "office.ifc")
    assert server.client.delete(f"/jobs/{job['jobID']}").status_code == 200
    assert server.finished(job["jobID"])["status"] == "dismissed"
    assert server.client.get("/collections").json()["collections"] == []
    assert server.client.delete(f"/jobs/{job['jobID']}").status_code == 409
    assert not any(city.layers_folder.rglob("*.glb"))


def test_a_bad_file_fails_its_job_and_leaves_the_version_before(
    server: Server, small: Path, tmp_path: Path
) -> None:
    server.finished(server.upload(small)["jobID"])
    bad = tmp_path / "bad.ifc"
    bad.write_text(small.read_text()[:-200])
    done = server.finished(server.upload(bad, layer="small")["jobID"])
    assert done["status"] == "failed"
    assert done["problem"]["status"] == 422
    assert "bad.ifc is cut short" in done["problem"]["detail"]
    assert server.client.get("/collections/small").json()["version"] == 1
    versions = server.client.get("/collections/small/versions").json()["versions"]
    assert [v["version"] for v in versions] == [1]


def test_what_cannot_be_imported_gets_no_job(server: Server, city: City) -> None:
    for query, status, words in (
        ({"filename": "plan.dwg"}, 415, ".dwg"),
        ({"filename": "noending"}, 415, "without ending"),
        ({}, 422, "filename"),
        ({"filename": "a.ifc", "layer": "Bad Name"}, 422, "layer id"),
        ({"filename": "a.ifc", "anchor": "here"}, 422, "anchor"),
        ({"filename": "a.ifc", "anchor": "113.46"}, 422, "anchor"),
        ({"filename": "a.ifc", "anchor": "113.46,23.1,0,7"}, 422, "anchor"),
    ):
        answer = server.client.post("/imports", params=query, content=b"x")
        assert answer.status_code == status, query
        assert words in answer.json()["detail"], query
        assert server.client.get("/jobs").json()["jobs"] == [], query
        assert not city.uploads_folder.exists() or list(city.uploads_folder.iterdir()) == [], query


def test_uploads_above_the_limit_are_refused_early(city: City, tmp_path: Path) -> None:
    running = Server(city.folder, tmp_path / "log", CIM_MAX_UPLOAD_BYTES="1000")
    try:
        declared = running.client.post("/imports?filename=a.ifc", content=b"x" * 2000)
        assert declared.status_code == 413

        def drip():
            for _ in range(20):
                yield b"x" * 100

        streamed = running.client.post("/imports?filename=a.ifc", content=drip())
        assert streamed.status_code == 413
        form = running.client.post("/imports", files={"file": ("a.ifc", b"x" * 2000)})
        assert form.status_code == 413
        assert list(city.uploads_folder.iterdir()) == []
    finally:
        running.stop()
    assert running.odd_lines() == []


def test_a_layer_can_be_removed(server: Server, small: Path, city: City) -> None:
    server.finished(server.upload(small)["jobID"])
    assert server.client.delete("/collections/small").status_code == 204
    assert server.client.get("/collections/small").status_code == 404
    assert server.client.delete("/collections/small").status_code == 404
    assert not (city.layers_folder / "small").exists()


def test_an_orderly_stop_gives_the_job_back_and_the_next_start_does_it(
    city: City, sample: Path, tmp_path: Path
) -> None:
    first = Server(city.folder, tmp_path / "log")
    job = first.upload(sample / "office.ifc")
    while first.client.get(f"/jobs/{job['jobID']}").json()["status"] == "accepted":
        pass
    first.stop()
    assert city.jobs.get(job["jobID"]).status == "accepted"
    assert city.jobs.get(job["jobID"]).attempts == 0
    second = Server(city.folder, tmp_path / "log")
    try:
        assert second.finished(job["jobID"])["status"] == "successful"
    finally:
        second.stop()
    assert second.odd_lines() == []


def test_many_uploads_at_once_all_arrive(server: Server, small: Path) -> None:
    jobs = [server.upload(small, layer=f"layer{number}")["jobID"] for number in range(4)]
    assert {server.finished(job)["status"] for job in jobs} == {"successful"}
    layers = [c["id"] for c in server.client.get("/collections").json()["collections"]]
    assert layers == [f"layer{number}" for number in range(4)]


def test_a_layer_can_be_tiled_again_over_http(server: Server, small: Path) -> None:
    first = server.finished(server.upload(small)["jobID"])["report"]
    answer = server.client.post("/collections/small/tiles")
    assert answer.status_code == 202
    done = server.finished(answer.json()["jobID"])
    assert (done["type"], done["status"]) == ("tile", "successful")
    assert done["report"]["version"] == 2
    again = server.client.get(done["report"]["tileset"]).content
    assert again == server.client.get(first["tileset"]).content
    assert server.client.post("/collections/nope/tiles").status_code == 404


def test_every_job_is_followed_to_its_end_however_many_wait(
    server: Server, small: Path, city: City
) -> None:
    for number in range(60):  # they wait for ever: nobody else claims what has an owner that beats
        city.jobs.add("import", f"l{number}", "a.ifc", {}, owner="elsewhere:1:x")
    job = server.upload(small)
    with server.client.stream("GET", f"/jobs/{job['jobID']}/events", timeout=60) as events:
        lines = [json.loads(line[5:]) for line in events.iter_lines() if line.startswith("data:")]
    assert lines[-1]["status"] == "successful"


def test_a_city_file_that_breaks_does_not_stop_the_jobs_for_good(
    city: City, small: Path, tmp_path: Path
) -> None:
    running = Server(city.folder, tmp_path / "log")
    path = city.folder / "city.toml"
    good = path.read_text()
    path.write_text("name = [broken")
    job = running.upload(small)
    time.sleep(2)
    path.write_text(good)
    ended = running.finished(job["jobID"])
    assert ended["status"] in ("successful", "failed")
    again = running.finished(running.upload(small)["jobID"])
    assert again["status"] == "successful"
    running.stop()
