"""A tileset made elsewhere, from the browser to its tiles."""

from pathlib import Path
from urllib.parse import quote

from tests.support import tilesets
from tests.support.serving import Server


def test_a_posted_tileset_is_served_as_it_was(server: Server, tmp_path: Path) -> None:
    files = tilesets.whole()
    path = tilesets.write_zip(tmp_path / "there.zip", files | {"page.html": b"<script>"})
    report = server.finished(server.upload(path)["jobID"])["report"]
    assert report["warnings_zh"] == ["有 1 个文件未被 there.zip 的任何瓦片使用，未导入"]
    base = report["tileset"].removesuffix("tileset.json")
    root = server.client.get(report["tileset"]).json()["root"]
    assert server.client.get(base + root["content"]["uri"]).content == files["tileset.json"]
    for name, data in files.items():
        answer = server.client.get(f"{base}files/tileset/{quote(name)}")
        assert (answer.status_code, answer.content) == (200, data), name
        assert "html" not in answer.headers["content-type"]
    assert server.client.get(f"{base}files/tileset/page.html").status_code == 404
    (item,) = server.client.get("/collections/there/items").json()["features"]
    assert item["geometry"]["type"] == "Polygon"


def test_a_hostile_archive_is_a_failed_job_and_leaves_nothing(
    server: Server, tmp_path: Path
) -> None:
    path = tilesets.write_zip(tmp_path / "evil.zip", tilesets.whole() | {"../evil": b"evil"})
    job = server.finished(server.upload(path)["jobID"])
    assert job["status"] == "failed"
    assert "leaves the folder it is unpacked to" in job["problem"]["detail"]
    assert "会写到解压文件夹之外" in job["problem"]["detail_zh"]
    assert server.client.get("/collections").json()["collections"] == []
