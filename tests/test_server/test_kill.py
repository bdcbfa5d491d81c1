"""`kill -9` at any moment: nothing half-written is seen, nothing acknowledged is lost."""

import json
import os
import random
import signal
import time
from pathlib import Path

import pytest

from cim_core.city import City
from cim_core.progress import Progress
from cim_core.store.features import Query
from tests.conftest import import_file
from tests.support.serving import Server
from tiles import check_tileset

KILLS = 6
SOAK_KILLS = 100
RECOVERED_SECONDS = 10.0


def worker_of(city: City, job_id: str) -> int | None:
    owner = city.jobs.get(job_id).owner
    return int(owner.rsplit(":", 2)[1]) if owner else None


def assert_whole(server: Server, city: City) -> int:
    """The layer is served whole, in one version, by HTTP and on disk; returns the version."""
    collection = server.client.get("/collections/house").json()
    version = collection["version"]
    tileset = server.client.get(collection["tileset"]["href"])
    assert tileset.status_code == 200
    for uri in _uris(tileset.json()["root"]):
        answer = server.client.get(f"/t/house/content/{uri.rsplit('/', 1)[1]}")
        assert answer.status_code == 200
    rows = city.features.find("house", version, Query(), after=None, limit=10_000)
    assert len(rows) == collection["numberOfFeatures"]
    path = city.layers_folder / "house" / str(version) / "tileset.json"
    check_tileset(path, [row.feature.id for row in rows], Progress())
    assert server.client.get(f"/receipts/{collection['receipt']}").status_code == 200
    return version


def _uris(tile: dict) -> list[str]:
    own = [tile["content"]["uri"]] if "content" in tile else []
    return own + [uri for child in tile.get("children", []) for uri in _uris(child)]


def recovered(city: City, job_id: str, lost_owner: str | None) -> bool:
    """The job has ended, waits for nobody dead, or is in the hands of a new worker."""
    job = city.jobs.get(job_id)
    return job.ended or (job.status == "running" and job.owner != lost_owner)


def campaign(folder: Path, sample: Path, kills: int) -> None:
    """Kill the server, the worker or both, at random moments of import after import."""
    rng = random.Random(20261122)
    city = City.open_or_create(folder / "city")
    import_file(city, _renamed(sample, folder))
    house = folder / "house.ifc"
    server = Server(city.folder, folder / "log")
    job_id = ""
    outcomes: dict[str, int] = {}
    for number in range(kills):
        if not job_id or city.jobs.get(job_id).ended:
            if job_id:
                outcomes[city.jobs.get(job_id).status] = (
                    outcomes.get(city.jobs.get(job_id).status, 0) + 1
                )
            job_id = server.upload(house)["jobID"]
        time.sleep(rng.uniform(0.0, 3.5))
        victim = rng.choice(["server", "worker", "both"])
        pid, owner = worker_of(city, job_id), city.jobs.get(job_id).owner
        if victim != "server" and pid is not None:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                owner = None  # it had just ended by itself
        if victim != "worker":
            server.kill()
            server = Server(city.folder, folder / "log")
            owner = owner if victim == "both" else None
        since = time.monotonic()
        while not recovered(city, job_id, owner):
            assert time.monotonic() - since < RECOVERED_SECONDS, (
                number,
                victim,
                city.jobs.get(job_id),
            )
            time.sleep(0.05)
        assert_whole(server, city)
    last = server.finished(job_id)
    assert last["status"] in ("successful", "failed")
    final = server.finished(server.upload(house)["jobID"])
    assert final["status"] == "successful", final
    assert assert_whole(server, city) == final["report"]["version"]
    since = time.monotonic()
    while any(city.uploads_folder.iterdir()):
        assert time.monotonic() - since < RECOVERED_SECONDS, list(city.uploads_folder.iterdir())
        time.sleep(0.1)
    server.stop()
    assert_no_debris(city)
    assert city.layers.get("house").version > 1, outcomes


def assert_no_debris(city: City) -> None:
    """Only what kept versions name is on disk and in the registry."""
    versions = {v.version for v in city.layers.versions("house")}
    folder = city.layers_folder / "house"
    assert {p.name for p in folder.iterdir()} == {"content", *map(str, versions)}
    named = {
        uri.rsplit("/", 1)[1]
        for v in versions
        for uri in _uris(json.loads((folder / str(v) / "tileset.json").read_text())["root"])
    }
    assert {p.name.removesuffix(".gz") for p in (folder / "content").iterdir()} == named
    stored = city.database.connection.execute("SELECT DISTINCT version FROM features").fetchall()
    assert {row[0] for row in stored} == versions
    assert city.layers.unfinished() == []
    assert list(city.uploads_folder.iterdir()) == []
    assert list(folder.rglob("*.partial")) == []


def _renamed(sample: Path, folder: Path) -> Path:
    target = folder / "house.ifc"
    target.write_bytes((sample / "community_centre.ifc").read_bytes())
    return target


def test_six_kills_leave_a_whole_city(tmp_path: Path, sample: Path) -> None:
    campaign(tmp_path, sample, KILLS)


@pytest.mark.soak
def test_a_hundred_kills_leave_a_whole_city(tmp_path: Path, sample: Path) -> None:
    campaign(tmp_path, sample, SOAK_KILLS)


def test_a_killed_command_line_import_is_taken_up_by_the_server(
    city: City, tmp_path: Path, sample: Path
) -> None:
    import subprocess
    import sys

    from tests.support.serving import ROOT

    command = [
        sys.executable,
        "-m",
        "server",
        "import",
        str(sample / "office.ifc"),
        "--city",
        str(city.folder),
    ]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        while not city.jobs.newest(1) or city.jobs.newest(1)[0].note not in ("geometry", "saving"):
            time.sleep(0.02)
        process.kill()
    [job] = city.jobs.newest(1)
    assert job.status == "running"
    server = Server(city.folder, tmp_path / "log", afresh=True)
    try:
        assert server.finished(job.id)["status"] == "successful"
    finally:
        server.stop()
    assert server.odd_lines() == []
    assert city.layers.get("office").version >= 1
    assert (sample / "office.ifc").is_file(), "a file that was not uploaded is not ours to delete"
