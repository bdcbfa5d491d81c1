"""What cannot be read is refused with the way out, in both languages, before any job begins."""

import re
from pathlib import Path

import pytest

from cim_core.errors import UnsupportedFormat
from server.importers import extensions, importer_for, kinds
from server.refused_formats import refused_formats
from server.zh import in_chinese
from tests.support.serving import Server


@pytest.mark.parametrize("ending", sorted(refused_formats().keys() - set(extensions())))
def test_each_is_refused_with_its_name_and_a_remedy(ending: str) -> None:
    with pytest.raises(UnsupportedFormat) as caught:
        importer_for(f"Plan {ending.upper()}{ending.upper()}")
    sentence = caught.value.sentence
    assert re.search("which cannot be read here; .*(export|save|turn|bring|unpack)", sentence)
    chinese = in_chinese(sentence) or ""
    assert chinese.startswith("无法读取 Plan")
    assert "export" not in chinese


def test_those_that_people_bring_most_are_among_them() -> None:
    wanted = ".osgb .dwg .dgn .rvt .skp .gml .mdb .nwd .3ds .max"
    assert set(wanted.split()) <= refused_formats().keys() - set(extensions())


def test_a_kind_must_be_one_and_suit_the_file(tmp_path: Path) -> None:
    assert importer_for("a.tif", kind="imagery").kind == "imagery"
    with pytest.raises(
        UnsupportedFormat, match=r"spaceship is no kind of import; give one of .*points"
    ):
        importer_for("a.tif", kind="spaceship")
    with pytest.raises(
        UnsupportedFormat, match=r"a\.tif cannot be imported as points; give one of \.las"
    ):
        importer_for("a.tif", kind="points")
    with pytest.raises(UnsupportedFormat, match="is a folder; import it with `cim import`"):
        importer_for("here", tmp_path)
    assert {"points", "tileset", "ifc"} <= set(kinds())


def test_the_server_refuses_them_before_the_body_is_read(server: Server) -> None:
    answer = server.client.post("/imports", params={"filename": "楼.rvt"}, content=b"x")
    assert answer.status_code == 415
    problem = answer.json()
    assert "export it as IFC from Revit" in problem["detail"]
    assert "请在 Revit 中导出为 IFC" in problem["detail_zh"]
    assert server.client.get("/jobs").json()["jobs"] == []


def test_kind_and_options_reach_the_importer_and_its_tiles_are_served(
    server: Server, data: Path
) -> None:
    path = data / "pointcloud" / "warsaw_small.las"
    job = server.upload(path, kind="points", crs="EPSG:2180", options="vertical_unit=foot")
    report = server.finished(job["jobID"])["report"]
    version = server.client.get(f"/collections/{report['layer']}").json()
    receipt = server.client.get(f"/receipts/{report['receipt']}").json()
    assert receipt["parameters"]["options"] == {"vertical_unit": "foot"}
    assert version["extent"]["spatial"]["bbox"][0][2] == pytest.approx(84.7 * 0.3048)
    tileset = server.client.get(report["tileset"]).json()
    base = report["tileset"].rsplit("/", 1)[0]
    stack, seen = [tileset["root"]], 0
    while stack:
        tile = stack.pop()
        stack += tile.get("children", [])
        body = server.client.get(f"{base}/{tile['content']['uri']}")
        assert (body.status_code, body.content[:4]) == (200, b"pnts")
        seen += 1
    assert seen == report["tiles"]["tiles"]
    formed = server.client.post(
        "/imports?layer=formed&crs=EPSG:2180", files={"file": (path.name, path.read_bytes())},
        data={"kind": "points", "options": ["vertical_unit=metre"]},
    )  # fmt: skip
    done = server.finished(formed.json()["jobID"])
    receipt = server.client.get(f"/receipts/{done['report']['receipt']}").json()
    assert receipt["parameters"]["kind"] == "points"
    assert receipt["parameters"]["options"] == {"vertical_unit": "metre"}
    wrong = server.client.post(
        "/imports", params={"filename": "a.las", "options": "x"}, content=b""
    )
    assert wrong.status_code == 422
    assert "write name=value" in wrong.json()["detail"]
