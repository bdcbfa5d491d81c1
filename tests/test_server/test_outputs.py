"""Outputs of analyses in the formats that are asked for, over HTTP and on the command line."""

import base64
import csv
import email
import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import httpx
import pytest
from ezdxf import recover
from PIL import Image

from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.network import NodeKind, Reference
from cim_core.table import Column, Table
from server.cli_analyse import analyse
from server.outputs import asked_formats, media_type_of, written
from server.zh import in_chinese
from tests.support.serving import Server
from tests.support.streets import lon_lat, pipes, publish_pipes
from tests.support.warm import cim

RUN = "/processes/profile/execution"
INPUTS = {"start": "w1", "end": "out"}


def sewer() -> object:
    return pipes(
        {"w1": (0, 6), "w2": (30, 6), "out": (60, 6)}, {"s1": ("w1", "w2"), "s2": ("w2", "out")},
        size=[0.4, 0.6], elevations=[[8, 7.91], [7.7, 7.61]], reference=Reference.INVERT, classes="WS",
        kinds={"w1": NodeKind.WELL, "out": NodeKind.OUTFALL},
    )  # fmt: skip


@pytest.fixture
def web(city: City, server: Server) -> httpx.Client:
    publish_pipes(city, "sewer", sewer())
    return server.client


def asked(output: str, media_type: str) -> dict[str, object]:
    return {"inputs": INPUTS, "outputs": {output: {"format": {"mediaType": media_type}}}}


def table_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_an_output_comes_in_the_format_asked_for(
    web: httpx.Client, server: Server, tmp_path: Path
) -> None:
    drawing = web.post(RUN, json=asked("drawing", "image/svg+xml"))
    assert drawing.headers["content-type"].startswith("image/svg+xml")
    assert ET.fromstring(drawing.content).tag.endswith("svg")
    dxf = web.post(RUN, json=asked("drawing", "image/vnd.dxf"))
    (tmp_path / "drawing.dxf").write_bytes(dxf.content)
    assert recover.readfile(tmp_path / "drawing.dxf")[1].errors == []
    table = web.post(RUN, json=asked("stations", "text/csv; charset=utf-8"))
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    first, *_, last = table_of(table.content.decode("utf-8-sig"))
    assert (first["id"], first["chainage (m)"], first["invert_in (m)"]) == ("w1", "0.0", "")
    assert (last["id"], last["chainage (m)"]) == ("out", "60.0")
    plain = web.post(RUN, json=asked("drawing", "application/json")).json()
    assert plain["mediaType"] == "image/svg+xml" and plain["svg"].encode() == drawing.content
    # several, each in its own format
    both = {"drawing": {"format": {"mediaType": "image/svg+xml"}}, "stations": {}}
    several = web.post(RUN, json={"inputs": INPUTS, "outputs": both})
    head = f"Content-Type: {several.headers['content-type']}\r\n\r\n".encode()
    parts = email.message_from_bytes(head + several.content).get_payload()
    assert [part.get_content_type() for part in parts] == ["image/svg+xml", "application/json"]
    assert parts[0].get_payload(decode=True).strip() == drawing.content.strip()
    # and in one document
    wanted = {
        "drawing": {"format": {"mediaType": "image/png"}},
        "stations": {"format": {"mediaType": "text/csv"}},
        "receipt": {},
    }
    ask = {"inputs": INPUTS, "outputs": wanted, "response": "document"}
    document = web.post(RUN, json=ask).json()
    assert list(document) == ["drawing", "stations", "receipt"]
    assert document["drawing"]["mediaType"] == "image/png"
    assert Image.open(io.BytesIO(base64.b64decode(document["drawing"]["value"]))).format == "PNG"
    assert document["stations"]["mediaType"] == "text/csv"
    assert table_of(document["stations"]["value"])[0] == first
    # as a job
    later = {"inputs": INPUTS, "outputs": both}
    job = web.post(RUN, json=later, headers={"prefer": "respond-async"}).json()
    assert server.finished(job["jobID"])["status"] == "successful"
    results = web.get(f"/jobs/{job['jobID']}/results").json()
    assert results["drawing"]["value"].encode() == drawing.content
    assert results["segments"]["rows"][0][:2] == ["sewer", "s1"]
    # and what there is not
    for output, media_type in (("stations", "image/png"), ("drawing", "text/csv")):
        refused = web.post(RUN, json=asked(output, media_type))
        assert refused.status_code == 422
        assert f"cannot be had as {media_type}" in refused.json()["detail"]
        assert refused.json()["detail_zh"]
    refused = web.post(RUN, json={"inputs": INPUTS, "outputs": {"drawing": {"format": {"mediaType": 1}}}})  # fmt: skip
    assert (refused.status_code, refused.json()["detail_zh"][:7]) == (422, "outputs")


def test_the_command_line_saves_outputs_by_the_ending_of_their_file(
    city: City, tmp_path: Path
) -> None:
    publish_pipes(city, "sewer", sewer())
    line = {"type": "LineString", "coordinates": lon_lat([(10, 0), (10, 12)]).tolist()}
    given = ["cross-section", "--city", city.folder, "-p", f"line={json.dumps(line)}"]
    saved = [part for name in ("drawing=s.dxf", "drawing=s.svg", "pipes=s.csv", "pipes=s.json")
             for part in ("--save", name.replace("=", f"={tmp_path}/"))]  # fmt: skip
    done = cim("analyse", *given, *saved)
    assert done.returncode == 0, done.stderr
    assert "s.dxf" in done.stdout and "save it with --save" in done.stdout
    assert recover.readfile(tmp_path / "s.dxf")[1].errors == []
    assert ET.parse(tmp_path / "s.svg").getroot().tag.endswith("svg")
    [row] = table_of((tmp_path / "s.csv").read_text(encoding="utf-8-sig"))
    assert (row["layer"], row["id"], row["offset (m)"]) == ("sewer", "s1", "6.0")
    assert json.loads((tmp_path / "s.json").read_text())["rows"][0][1] == "s1"


def test_what_cannot_be_saved_leaves_no_file(tmp_path: Path) -> None:
    table = Table((Column("id", {"en": "Id", "zh": "标识"}, "text"),), (("a",),))
    with pytest.raises(
        InvalidInput, match="cannot be had as image/png; ask for one of application"
    ):
        written("pipes", table, "image/png")
    for wrong, words in (
        (f"drawing={tmp_path}/a.dwg", "under this ending"),
        ("nothing=a.svg", "names no output"),
    ):
        with pytest.raises(InvalidInput, match=words) as refused:
            analyse("cross-section", tmp_path, saved=[wrong])
        assert in_chinese(str(refused.value))
    assert not list(tmp_path.iterdir())


def test_formats_are_read_as_they_are_written() -> None:
    assert asked_formats(None) == asked_formats({"a": {}, "b": None}) == {}
    assert asked_formats({"a": {"format": {"mediaType": "Text/CSV; charset=utf-8"}}}) == {
        "a": "text/csv"
    }
    assert media_type_of(Path("A.PNG")) == "image/png"
    with pytest.raises(Exception, match="end the name with one of") as refused:
        media_type_of(Path("drawing"))
    assert in_chinese(str(refused.value))
