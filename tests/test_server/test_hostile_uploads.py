"""Files and bodies made to do harm are refused in a sentence each; the server and the city stay as they are."""

import hashlib
import http.server
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.importers.table_checks import check_parquet
from pipelines.survey_file import sheets
from server.zh import in_chinese
from tests.conftest import import_file
from tests.support.hostile import (
    LAUGHS,
    endless_table,
    geojson,
    hostile_files,
    packed,
    workbook,
)
from tests.support.serving import ROOT, Server
from tests.support.warm import Warm

LIMIT = 8 << 20
"""Bytes that the server of these tests takes as an upload."""
ROOM = 96 << 10
"""KiB its memory may grow by, whatever is sent."""


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    """A city with one layer."""
    folder = tmp_path_factory.mktemp("hostile")
    city = City.open_or_create(folder / "city")
    import_file(city, geojson(folder / "places.geojson"))
    return city


@pytest.fixture(scope="module")
def server(city: City) -> Iterator[Server]:
    """A server that takes small uploads only; its log must stay clean."""
    running = Server(city.folder, city.folder.parent / "log", CIM_MAX_UPLOAD_BYTES=str(LIMIT))
    yield running
    running.stop()
    assert running.odd_lines() == []


def peak(process: Warm) -> int:
    """The most memory a process ever had, KiB."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def state_of(city: City) -> str:
    """All that is served, as one hash."""
    whole = hashlib.sha256()
    for path in sorted(city.layers_folder.rglob("*")):
        whole.update(str(path).encode() + (path.read_bytes() if path.is_file() else b""))
    return whole.hexdigest()


@pytest.fixture(scope="module")
def heard() -> Iterator[tuple[str, list[str]]]:
    """An address that hears whoever asks it, and what it heard."""
    asked: list[str] = []

    class Ear(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ear) as ear:
        threading.Thread(target=ear.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{ear.server_port}", asked
        ear.shutdown()


def test_each_hostile_file_of_a_folder_is_refused_and_nothing_else_happens(
    server: Server, city: City, tmp_path: Path, heard: tuple[str, list[str]]
) -> None:
    address, asked = heard
    (tmp_path / "files").mkdir()
    words = hostile_files(tmp_path / "files", address)
    files = [(path.name, path.read_bytes()) for path in sorted((tmp_path / "files").iterdir())]
    archive = packed(tmp_path / "all.zip", *files, method=0)
    before, city_before = peak(server.process), state_of(city)
    job = server.upload(archive, kind="folder", crs="EPSG:4547")["jobID"]
    while server.client.get(f"/jobs/{job}").json()["status"] in ("accepted", "running"):
        assert server.client.get("/collections").status_code == 200, "others are answered"
        time.sleep(0.2)
    ended = server.finished(job)
    assert ended["status"] == "successful", ended
    said = {
        item["file"]: item["refusal"] or item["problem"]["detail"]
        for item in ended["report"]["items"]
    }
    assert set(said) == set(words)
    wrong = {name: said[name] for name, part in words.items() if part not in said[name]}
    assert wrong == {}
    assert [name for name, sentence in said.items() if in_chinese(sentence) is None] == []
    assert asked == [], "no file made the server ask the network"
    assert state_of(city) == city_before
    assert list(city.uploads_folder.iterdir()) == []
    assert peak(server.process) - before < ROOM


def test_an_archive_is_refused_by_the_name_its_sender_gave_it(
    server: Server, city: City, tmp_path: Path
) -> None:
    path = packed(tmp_path / "survey.zip", ("../evil.csv", b"x"))
    ended = server.finished(server.upload(path)["jobID"])
    assert ended["status"] == "failed"
    assert ended["problem"]["detail"].startswith("survey.zip was not unpacked: ../evil.csv in it")
    assert list(city.uploads_folder.iterdir()) == []


def converse(server: Server, head: str, *pieces: bytes, patient: bool = True) -> int:
    """Send a request by hand; the status of the answer, 0 for none."""
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as line:
        key = server.client.headers["authorization"]
        line.sendall(f"{head}\r\nHost: {parts.netloc}\r\nAuthorization: {key}\r\n\r\n".encode())
        try:
            for piece in pieces:
                line.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has answered and listens no more
        if not patient:
            return 0
        try:
            answer = line.recv(64)
        except ConnectionResetError:
            return 0
        return int(answer.split()[1]) if answer else 0


def test_bodies_that_are_too_large_or_lie_leave_nothing(server: Server, city: City) -> None:
    before = peak(server.process)
    post = "POST /imports?filename=a.ifc HTTP/1.1"
    large = f"{post}\r\nContent-Length: {3 << 30}"
    assert converse(server, large) == 413, "before any of it is sent"
    block = b"10000\r\n" + bytes(1 << 16) + b"\r\n"
    chunked = f"{post}\r\nTransfer-Encoding: chunked"
    assert converse(server, chunked, *[block] * 200) in (413, 0)
    converse(server, f"{post}\r\nContent-Length: 1000000", b"ISO-10303-21;", patient=False)
    assert converse(server, f"{post}\r\nContent-Length: -5") in (400, 0)
    assert converse(server, f"{post}\r\nContent-Length: 5\r\nContent-Length: 9", b"12345") in (400, 0)  # fmt: skip
    emptied(city)
    assert peak(server.process) - before < ROOM
    assert server.client.get("/collections").status_code == 200


def emptied(city: City) -> None:
    """Wait until no upload is left."""
    deadline = time.monotonic() + 10
    while city.uploads_folder.exists() and any(city.uploads_folder.iterdir()):
        assert time.monotonic() < deadline, list(city.uploads_folder.iterdir())
        time.sleep(0.05)


def form(*parts: bytes) -> bytes:
    return b"".join(b"--B\r\n" + part + b"\r\n" for part in parts) + b"--B--\r\n"


FIELD = b'Content-Disposition: form-data; name="x"\r\n\r\n'
FILE = b'Content-Disposition: form-data; name="file"; filename="a.ifc"\r\n\r\nx'
FORMS = {
    "a hundred thousand parts": (form(*[FIELD] * 30_000), "it has more than 64 parts"),
    "a long text": (form(FIELD + bytes(1 << 20)), "its part x is longer than 65536 bytes"),
    "two files": (form(FILE, FILE), "it has more than one file"),
    "endless headers": (form(b"X: " + b"y" * (1 << 20)), "the form cannot be read"),
    "many headers": (form(b"X: y\r\n" * 10_000 + b"\r\n"), "the form cannot be read"),
    "borders all over": (form(FIELD + b"\r\n--\r\n--A" * 100_000), "is longer than 65536 bytes"),
    "no file": (form(FIELD), "no part named file"),
}


@pytest.mark.parametrize("kind", FORMS)
def test_a_form_that_is_no_form_of_an_import_is_refused(
    kind: str, server: Server, city: City
) -> None:
    body, words = FORMS[kind]
    answer = server.client.post(
        "/imports", content=body, headers={"content-type": "multipart/form-data; boundary=B"}
    )
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert "detail_zh" in answer.json()
    emptied(city)


@pytest.mark.parametrize("name", ["..", "../../..", "a\u202ecfi.ifc", "a\x07.ifc", "a\n.ifc"])
def test_a_name_that_is_none_is_refused(name: str, server: Server, city: City) -> None:
    answer = server.client.post("/imports", params={"filename": name}, content=b"x")
    assert answer.status_code in (415, 422), answer.text
    emptied(city)


def test_the_folder_of_uploads_is_not_served(server: Server, city: City) -> None:
    city.uploads_folder.mkdir(exist_ok=True)
    (city.uploads_folder / "kept").mkdir()
    (city.uploads_folder / "kept" / "upload.ifc").write_bytes(b"secret")
    try:
        for address in (
            "/uploads/kept/upload.ifc", "/t/../uploads/kept/upload.ifc",
            "/t/places/1/..%2f..%2f..%2fuploads/kept/upload.ifc",
            "/t/places/1/../../../uploads/kept/upload.ifc", "/viewer/..%2fuploads/kept/upload.ifc",
        ):  # fmt: skip
            status = converse(server, f"GET {address} HTTP/1.1")
            assert status in (400, 404), address
    finally:
        (city.uploads_folder / "kept" / "upload.ifc").unlink()
        (city.uploads_folder / "kept").rmdir()


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (endless_table, "line 2 is longer than 4 MiB"),
        (lambda path: workbook(path, LAUGHS), "declares entities in xl/sheet.xml"),
        (
            lambda path: workbook(path, '<!ENTITY a SYSTEM "file:///etc/passwd">'),
            "declares entities in xl/sheet.xml",
        ),
    ],
)
def test_a_survey_table_that_does_not_end_is_refused(
    write: object, words: str, tmp_path: Path
) -> None:
    path = tmp_path / ("a.csv" if write is endless_table else "a.xlsx")
    write(path)
    with pytest.raises(InvalidInput, match=words) as caught:
        list(sheets(path, path.name))
    assert in_chinese(caught.value.sentence)


def test_a_table_of_a_thousand_million_rows_is_refused_unread() -> None:
    with pytest.raises(Exception, match="announces 1000000000 rows of 2 columns") as caught:
        check_parquet("a.parquet", 10**9, 2)
    assert in_chinese(str(caught.value))


def test_what_takes_more_memory_than_a_job_may_have_fails_in_a_sentence(
    city: City, tmp_path: Path
) -> None:
    code = (
        "import sys; from pathlib import Path; from cim_core.city import City; from cim_core.work import Crew\n"
        "from cim_core.errors import TooLarge; from cim_core.progress import Progress\n"
        "from server.bounds import bound_process; from server.ingest import Upload, ingest\n"
        "from cim_core.importers import tables\n"
        "bound_process(400 << 20)\n"
        "tables.read_tables = lambda *_: bytearray(1 << 30)\n"
        "path = Path(sys.argv[2])\n"
        "try: ingest(City.open(Path(sys.argv[1])), Upload(path, path.name, 'a', 'A'), Crew(), Progress())\n"
        "except TooLarge as error: print(error)\n"
    )
    path = geojson(tmp_path / "large.geojson")
    said = subprocess.run(
        [sys.executable, "-c", code, str(city.folder), str(path)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "large.geojson takes more memory than a job may have here" in said.stdout
    assert [layer.layer for layer in city.layers.current()] == ["places"]


def test_a_process_loads_only_the_drivers_that_are_used() -> None:
    """So that new drivers of a newer GDAL are noticed."""
    code = (
        "import server.worker, pyogrio, rasterio\n"
        "with rasterio.Env() as env: print(sorted(set(env.drivers()) | set(pyogrio.list_drivers())))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    used = ["COG", "ESRI Shapefile", "FlatGeobuf", "GPKG", "GTiff", "GeoJSON", "JPEG", "MEM", "OSM"]
    assert (said.stdout.strip(), said.stderr) == (str([*used, "PNG", "VRT", "WEBP"]), "")
