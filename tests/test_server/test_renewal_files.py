"""Files of renewal over HTTP: evidence, progress sheets, projects; who may send and who gets them."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest
from PIL import Image

from cim_core.store.office_audit import AuditQuery
from tests.support.renewal_office import RenewalOffice
from tests.support.renewal_tables import DONE, HEAD, NORTH, records, table


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RenewalOffice]:
    office = RenewalOffice(tmp_path_factory.mktemp("renewal-files"))
    yield office
    office.stop()


def picture() -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "where it was"
    Image.new("RGB", (8, 8), "red").save(out, "JPEG", exif=exif)
    return out.getvalue()


def post(client: httpx.Client, url: str, body: bytes, **query: Any) -> httpx.Response:
    return client.post(url, params=query, content=body)


def test_evidence_is_kept_as_it_came_and_known_by_its_bytes(office: RenewalOffice) -> None:
    reporter, url = office["reporter here"], "/renewal/projects/e1/evidence"
    photo = picture()
    said = {
        "name": "cleared.pdf",
        "note": "户主甲",
        "taken": "2025-03-01",
        "lon": 113.4,
        "lat": 23.1,
    }
    made = post(reporter, url, photo, **said)
    assert made.status_code == 201, made.text
    document = made.json()["document"]
    assert document["media_type"] == "image/jpeg", "whatever its name says"
    assert (document["size"], document["taken"], document["lon"]) == (
        len(photo),
        "2025-03-01",
        113.4,
    )
    path = office.city.renewal.evidence_folder / document["sha256"][:2] / document["sha256"]
    assert path.read_bytes() == photo
    modes = [one.stat().st_mode & 0o777 for one in (path, path.parent, path.parent.parent)]
    assert modes == [0o600, 0o700, 0o700]
    again = post(reporter, url, photo, name="again.jpg")
    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])
    key = made.json()["id"]
    got = office["viewer"].get(f"/renewal/evidence/{key}")
    assert got.content == photo
    assert got.headers["content-type"] == "image/jpeg"
    assert got.headers["content-disposition"].startswith("inline")
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"].endswith("; sandbox")
    same = office["viewer"].get(
        f"/renewal/evidence/{key}", headers={"if-none-match": got.headers["etag"]}
    )
    assert same.status_code == 304
    part = office["viewer"].get(f"/renewal/evidence/{key}", headers={"range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, photo[:4])
    for odd in ("bytes=9999999-", "bytes=5-2", "lines=1-2"):
        answer = office["viewer"].get(f"/renewal/evidence/{key}", headers={"range": odd})
        assert (answer.status_code, answer.content) == (200, photo), odd
    listed = reporter.get(url).json()["evidence"]
    assert [one["id"] for one in listed] == [key]
    rows, _, _ = office.city.office.audit.find(AuditQuery(), 1000)
    assert not any("户主甲" in row.what or "cleared" in row.what for row in rows)
    row = next(row for row in rows if row.what.startswith(f"POST {url}") and row.result == "ok")
    assert row.detail["evidence"] == key


def test_who_may_not_report_adds_no_evidence_and_who_may_not_look_sees_none(
    office: RenewalOffice,
) -> None:
    url = "/renewal/projects/e1/evidence"
    made = post(office["reporter here"], url, picture() + b"1", name="a.jpg")
    assert made.status_code == 201
    for who, status in (("reporter there", 404), ("viewer", 403), ("security", 403)):
        assert post(office[who], url, picture()).status_code == status, who
    assert post(office.stranger, url, picture()).status_code == 401
    key = made.json()["id"]
    assert office["reporter there"].get(f"/renewal/evidence/{key}").status_code == 404
    assert office["reporter there"].get(url).status_code == 404
    before = sorted(office.city.renewal.evidence_folder.rglob("*"))
    for body, status, words in (
        (b"<script>alert(1)</script>", 415, "no evidence that is taken"),
        (b"", 422, "is empty"),
        (b"PK\x03\x04nothing", 415, "no evidence"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1\0\0\0\1\0\0", 413, "65536"),
    ):
        answer = post(office["reporter here"], url, body, name="x.jpg")
        assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text
        assert answer.json()["detail_zh"]
    assert sorted(office.city.renewal.evidence_folder.rglob("*")) == before, "nothing is left"


def test_a_document_is_handed_out_as_a_file(office: RenewalOffice) -> None:
    book = io.BytesIO()
    openpyxl.Workbook().save(book)
    made = post(
        office["reporter here"], "/renewal/projects/e2/evidence", book.getvalue(), name="清单.xlsx"
    )
    got = office["viewer"].get(f"/renewal/evidence/{made.json()['id']}")
    assert got.headers["content-disposition"].startswith("attachment; filename*=utf-8''")
    assert got.headers["content-type"].endswith("spreadsheetml.sheet")


def test_a_reporter_fills_in_the_sheet_of_the_own_town(office: RenewalOffice) -> None:
    reporter, url = office["reporter here"], "/renewal/progress-sheet"
    sheet = reporter.get(url, params={"period": "week", "end": "2025-04-03"})
    assert sheet.status_code == 200, sheet.text
    book = openpyxl.load_workbook(io.BytesIO(sheet.content))
    page = book["进度 Progress"]
    assert {row[0] for row in page.iter_rows(min_row=5, values_only=True)} == {"e1", None}
    offered = {cell for row in book["lists"].iter_rows(values_only=True) for cell in row}
    assert "东厂自行改造 (e2)" in offered and not any("w1" in str(cell) for cell in offered)
    page[f"{DONE}6"] = 0.44
    out = io.BytesIO()
    book.save(out)
    looked = post(reporter, url, out.getvalue(), dry_run=True).json()
    assert (looked["changes"], looked["applied"]) == (1, False)
    done = post(reporter, url, out.getvalue(), name="四月.xlsx").json()
    assert (done["changes"], done["applied"], done["findings"]) == (1, True, [])
    assert records(office.city)["e1", "floor-area-demolished", "2025-03-31"]["actual"] == 4400.0
    other = post(office["reporter there"], url, out.getvalue()).json()
    assert {one["severity"] for one in other["findings"]} == {"error"}
    assert not other["applied"]
    assert post(office["viewer"], url, out.getvalue()).status_code == 403
    refused = post(reporter, url, b"no workbook")
    assert (refused.status_code, "xlsx" in refused.json()["detail"]) == (422, True)
    for query in ({"town": "there"}, {"project": "w1"}):
        assert reporter.get(url, params=query).status_code in (403, 404)


def test_projects_are_brought_in_by_who_manages_them(office: RenewalOffice, tmp_path: Path) -> None:
    path = table(tmp_path / "p.xlsx", HEAD, NORTH)
    url, manager = "/renewal/bring-in", office["data manager"]
    looked = post(manager, url, path.read_bytes(), name="p.xlsx", dry_run=True).json()
    assert (looked["applied"], looked["projects"][0]["new"]) == (False, True)
    assert manager.get("/renewal/projects/n1/evidence").status_code == 404
    done = post(manager, url, path.read_bytes(), name="p.xlsx").json()
    assert (done["applied"], done["projects"][0]["version"]) == (True, 1)
    assert post(office["editor"], url, path.read_bytes(), name="p.xlsx").status_code == 403
    odd = post(manager, url, path.read_bytes(), name="p.exe")
    assert (odd.status_code, odd.json()["title"]) == (415, "Unsupported format")
    assert list(office.city.uploads_folder.iterdir()) == [], "what was read is gone"
