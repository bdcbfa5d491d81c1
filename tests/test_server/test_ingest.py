"""`POST /ingest`: what programs send, in every form, and who may."""

import io
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cim_core.city import City
from cim_core.errors import InvalidInput, TooLarge
from cim_core.observation_sources import ObservationSource
from server.access.gate import Gate
from server.access.person import Person
from server.access.policy import default_policy
from server.given_bodies import read_body
from tests.conftest import import_file
from tests.support.sensors import add_things
from tests.support.serving import Server

KEYS = [f"o{n}/level" for n in range(20)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of a city with twenty wells."""
    folder = tmp_path_factory.mktemp("ingest")
    city = City.open_or_create(folder / "city")
    city.office.policies.put(default_policy().document(), 0, "test")
    add_things(city, KEYS, bounds=[-1000.0, 1e9])
    made = Server(city.folder, folder / "log", CIM_MAX_BODY_BYTES=str(3 << 20))
    made.city = city  # type: ignore[attr-defined]
    yield made
    made.stop()
    assert made.odd_lines() == []


moments = iter(range(time.time_ns() // 1_000_000 - 3_600_000, 1 << 62, 1000))


def rows(number: int = 3) -> list[dict[str, Any]]:
    begin = next(moments)
    return [{"datastream": KEYS[n % 20], "time": begin + n, "value": n / 2} for n in range(number)]


def arrow(columns: dict[str, Any]) -> bytes:
    table = pa.table(columns)
    out = io.BytesIO()
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def as_arrow(some: list[dict[str, Any]]) -> bytes:
    return arrow({name: [row[name] for row in some] for name in some[0]})


STREAM = "application/vnd.apache.arrow.stream"
FORMS = {
    "object": ("application/json", lambda some: json.dumps({"observations": some}).encode()),
    "list": ("application/json; charset=utf-8", lambda some: json.dumps(some).encode()),
    "lines": ("application/x-ndjson", lambda some: "\n".join(map(json.dumps, some)).encode()),
    "arrow": (STREAM, as_arrow),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_taken_and_is_the_same(server: Server, form: str) -> None:
    kind, written = FORMS[form]
    some = rows(200)
    for told in ((200, 0), (0, 200)):
        answer = server.client.post(
            "/ingest", content=written(some), headers={"content-type": kind}
        )
        assert answer.status_code == 200, answer.text
        assert answer.json() == {"accepted": told[0], "duplicates": told[1], "dead": {}}
    city: City = server.city  # type: ignore[attr-defined]
    streams = city.live.streams()
    found = city.observed.rows(streams.ids, some[0]["time"], some[-1]["time"] + 1)
    named = [streams.by_id[number].key for number in found.streams.tolist()]
    assert set(zip(named, found.times.tolist(), found.values.tolist(), strict=True)) == {
        (row["datastream"], row["time"], row["value"]) for row in some
    }


@pytest.mark.parametrize("form", FORMS)
def test_half_of_a_batch_may_be_bad(server: Server, form: str) -> None:
    kind, written = FORMS[form]
    some = rows(10)
    for row in some[::2]:
        row["datastream"] = "nobody/knows"
    answer = server.client.post("/ingest", content=written(some), headers={"content-type": kind})
    assert answer.json() == {"accepted": 5, "duplicates": 0, "dead": {"unknown-datastream": 5}}


def test_one_observation_needs_no_list(server: Server) -> None:
    [row] = rows(1)
    assert server.client.post("/ingest", json=row).json()["accepted"] == 1
    assert server.client.post("/ingest", json={**row, "datastream": 1}).json()["duplicates"] == 1
    assert server.client.post("/ingest", json=[]).json() == {
        "accepted": 0,
        "duplicates": 0,
        "dead": {},
    }


@pytest.mark.parametrize("strange", [10**30, {"digits": [10**30]}])
def test_what_was_said_of_an_observation_is_told_however_long_its_numbers_are(
    server: Server, strange: Any
) -> None:
    [row] = rows(1)
    assert server.client.post("/ingest", json=[{**row, "quality": strange}]).json()["accepted"] == 1
    answer = server.client.get(
        "/sta/v1.1/Observations?$top=1&$orderby=phenomenonTime desc&$select=resultQuality"
    )
    assert answer.status_code == 200
    assert answer.json()["value"][0]["resultQuality"] == strange


def test_a_line_that_is_none_takes_no_other_with_it(server: Server) -> None:
    first, second = (json.dumps(row) for row in rows(2))
    body = f'{first}\n{{"datastream": \n\n{second}\n'.encode()
    answer = server.client.post(
        "/ingest", content=body, headers={"content-type": "application/x-ndjson"}
    )
    assert answer.json() == {"accepted": 2, "duplicates": 0, "dead": {"unreadable": 1}}
    [letter] = server.client.get("/dead-letters?reason=unreadable&limit=1").json()["letters"]
    assert letter["detail"] == "line 2 of what was sent is no JSON"
    assert letter["detail_zh"] == "所发送内容的第 2 行不是 JSON"


def test_what_python_writes_for_no_number_is_a_dead_letter(server: Server) -> None:
    some = rows(2)
    some[0]["value"] = float("nan")
    answer = server.client.post("/ingest", content=json.dumps(some).encode())
    assert answer.json() == {"accepted": 1, "duplicates": 0, "dead": {"not-a-number": 1}}


def test_arrow_of_other_types_is_read_as_well(server: Server) -> None:
    begin = next(moments)
    times = [datetime.fromtimestamp((begin + n) / 1000, UTC) for n in range(3)]
    plain = arrow({"datastream": [1, 2, 3], "time": times, "value": [1, 2, None]})
    answer = server.client.post("/ingest", content=plain, headers={"content-type": STREAM})
    assert answer.json() == {"accepted": 2, "duplicates": 0, "dead": {"not-a-number": 1}}
    texts = [moment.isoformat() for moment in times]
    odd = arrow(
        {"datastream": [1, 2, 3], "time": texts, "value": [1, 2, 3], "unit": ["m", "m", "km"]}
    )
    answer = server.client.post("/ingest", content=odd, headers={"content-type": STREAM})
    assert answer.json() == {"accepted": 0, "duplicates": 2, "dead": {"unit": 1}}


@pytest.mark.parametrize(
    ("body", "kind", "status", "words"),
    [
        (b'[{"datastream": 1,\n "time"]', "application/json", 422, "line 2, column 8"),
        (b'["\xff"]', "application/json", 422, "no UTF-8 at byte 2"),
        (b'"text"', "application/json", 422, "observations: give a list"),
        (b"[" * 100_000, "application/json", 422, "without end"),
        (b"nonsense", STREAM, 422, "no Arrow stream"),
        (arrow({"time": [1]}), STREAM, 422, "no column 'datastream'"),
        (b"a,b", "text/csv", 415, "do not come as text/csv"),
        (json.dumps([{}] * 20_001).encode(), "application/json", 413, "20,000"),
        (b" " * (4 << 20), "application/json", 413, "larger than this server takes"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_at_all_is_refused_with_the_place(
    server: Server, body: bytes, kind: str, status: int, words: str
) -> None:
    answer = server.client.post("/ingest", content=body, headers={"content-type": kind})
    assert answer.status_code == status
    assert words in answer.json()["detail"]
    assert answer.json()["detail_zh"]


def raw_arrow(columns: dict[str, Any], compression: str | None = None) -> bytes:
    table = pa.table(columns)
    out = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(out, table.schema, options=options) as writer:
        writer.write_table(table)
    return out.getvalue()


USUAL = {"datastream": [1], "time": [1], "value": [1.0]}
LONG = pa.array(["x" * (1 << 20)] * 100).dictionary_encode()
TEXTS = {"datastream": [1] * 100, "time": [1] * 100, "value": [1.0] * 100, "unit": LONG}


@pytest.mark.parametrize(
    ("body", "error", "words"),
    [
        (raw_arrow({**USUAL, "note": ["x" * 5000]}, "zstd"), InvalidInput, "compressed buffers"),
        (raw_arrow({**USUAL, "unit": pa.array(["m" * 5000]).dictionary_encode()}, "lz4"), InvalidInput, "compressed"),
        (raw_arrow({**USUAL, "quality": [[1]]}), InvalidInput, "a column 'quality' of list"),
        (raw_arrow(TEXTS), TooLarge, "texts of the Arrow stream are too long"),
        (raw_arrow({name: pa.nulls(1 << 20) for name in USUAL}), TooLarge, "may have 20,000"),
        (raw_arrow({"datastream": [1], "value": [1], "time": pa.array([1 << 60], pa.timestamp("s"))}), InvalidInput, "no Arrow stream"),
        (raw_arrow(USUAL)[:-40], InvalidInput, "no Arrow stream"),
    ],
)  # fmt: skip
def test_an_arrow_stream_takes_no_more_memory_than_it_is_long(
    body: bytes, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        read_body(body, STREAM, ObservationSource("test"))


def test_of_an_arrow_stream_only_the_known_columns_are_read() -> None:
    names = pa.array(["w/a", "w/b", "w/a"]).dictionary_encode()
    more = {"time": [1, 2, 3], "value": [1.0, 2.0, 3.0], "note": [[1], [2], [3]]}
    given = read_body(raw_arrow({"datastream": names, **more}), STREAM, ObservationSource("test"))
    assert given.datastreams == ["w/a", "w/b", "w/a"]
    assert given.times.tolist() == [1, 2, 3]


def test_a_source_must_be_known(server: Server) -> None:
    assert server.client.post("/ingest?source=buses", json=[]).status_code == 404
    sources = server.client.get("/observation-sources").json()
    assert {one["name"] for one in sources["sources"]} == {"http", "mqtt", "sensorthings"}
    assert sources["mqtt"] is None


def test_dead_letters_are_listed_page_by_page(server: Server) -> None:
    some = [{**row, "time": 5} for row in rows(7)]
    assert server.client.post("/ingest", json=some).json()["dead"] == {"late": 7}
    seen: list[int] = []
    after = ""
    while True:
        page = server.client.get(f"/dead-letters?reason=late&source=http&limit=3{after}").json()
        if not page["letters"]:
            break
        seen += [one["id"] for one in page["letters"]]
        after = f"&after={seen[-1]}"
    assert len(seen) == len(set(seen)) == page["counts"]["late"]
    assert seen == sorted(seen, reverse=True)
    assert server.client.get("/dead-letters?reason=boredom").status_code == 422


@pytest.mark.parametrize("strange", [10**30, json.loads("[" * 300 + "]" * 300)])
def test_a_dead_letter_is_told_whatever_was_sent(server: Server, strange: Any) -> None:
    [row] = rows(1)
    sent = {**row, "datastream": strange}
    [(reason, number)] = server.client.post("/ingest", json=[sent]).json()["dead"].items()
    answer = server.client.get(f"/dead-letters?reason={reason}&limit=1")
    assert answer.status_code == 200 and number == 1
    assert json.loads(answer.json()["letters"][0]["body"])["datastream"] == strange


def test_dead_letters_are_for_who_manages_the_layer(tmp_path: Path) -> None:
    import httpx

    city = City.open_or_create(tmp_path / "city")
    for layer, sensitivity in (("roads", "public"), ("bunker", "sensitive")):
        path = tmp_path / f"{layer}.geojson"
        point = {"type": "Point", "coordinates": [113.46, 23.1]}
        feature = {"type": "Feature", "id": "f", "geometry": point, "properties": {}}
        path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
        import_file(city, path, kind="vector", options={"sensitivity": sensitivity})
        add_things(city, [f"{layer}/level"], layer=layer)
    policy = default_policy().document()
    policy["roles"]["editor"] = {"read": {"public": "all"}, "manage": {"public": "all"}}
    city.office.policies.put(policy, 0, "test")
    server = Server(city.folder, tmp_path / "log")
    try:
        named = ("roads/level", "bunker/level", "bunker/level", "nobody/knows")
        some = [{"datastream": of, "time": n, "value": 1} for n, of in enumerate(named)]
        answer = server.client.post("/ingest", json=some).json()
        assert answer["dead"] == {"late": 3, "unknown-datastream": 1}
        headers = {"authorization": f"Bearer {server.key('editor')}"}
        seen = httpx.get(f"{server.url}/dead-letters", headers=headers).json()
        assert [one["body"]["datastream"] for one in seen["letters"]] == ["roads/level"]
        assert seen["counts"] == {"late": 1}
        every = server.client.get("/dead-letters").json()
        assert every["counts"] == {"late": 3, "unknown-datastream": 1}
    finally:
        server.stop()


def test_only_who_may_record_sends(server: Server) -> None:
    import httpx

    def status(role: str, *scopes: str) -> int:
        key = server.key(role)
        if scopes:
            key = server.office.keys.add(server.account(role), "gateway", scopes, 1)[1]
        headers = {"authorization": f"Bearer {key}"}
        return httpx.post(f"{server.url}/ingest", json=[], headers=headers).status_code

    assert httpx.post(f"{server.url}/ingest", json=[]).status_code == 401
    assert [status(role) for role in ("viewer", "supervisor", "editor")] == [403] * 3
    assert status("data-manager", "record") == 200
    assert status("data-manager", "read") == 403


def test_a_key_for_recording_alone_feeds_what_it_cannot_read(server: Server) -> None:
    import httpx

    key = server.office.keys.add(server.account(), "gateway", ("record",), 1)[1]
    headers = {"authorization": f"Bearer {key}"}
    [row] = rows(1)
    answer = httpx.post(f"{server.url}/ingest", json=row, headers=headers)
    assert answer.json()["accepted"] == 1
    assert httpx.get(f"{server.url}/dead-letters", headers=headers).status_code == 403


def test_the_log_has_who_sent_by_the_minute(server: Server) -> None:
    before = [one for one in entries(server) if one.verb == "record" and one.result == "ok"]
    for _ in range(20):
        server.client.post("/ingest", json=rows(5))
    after = [one for one in entries(server) if one.verb == "record" and one.result == "ok"]
    assert len(after) - len(before) <= 2  # the first of a minute, and perhaps the sum of one before
    assert after[0].detail["source"] == "http"


def entries(server: Server) -> list[Any]:
    from cim_core.store.office_audit import AuditQuery

    return list(server.office.audit.entries(AuditQuery()))


def test_things_without_a_layer_are_an_internal_layer_of_no_place(city: City) -> None:
    viewer = Person("p", "viewer", ("viewer",), "session")
    reporter = Person("p", "reporter", ("reporter",), "session", towns=("t",))
    gate = Gate(city)
    assert gate.access(viewer).sight.of("things") is None
    add_things(city, ["o/level"])
    assert gate.access(viewer).sight.of("things") is not None
    gate.access(viewer).require("read", "things")
    assert gate.access(reporter).sight.of("things") is None  # nobody knows in which town they are
    assert not gate.access(viewer).fed
    assert gate.access(Person("p", "m", ("data-manager",), "session")).fed == {"things"}


def test_it_is_told_apart_from_other_requests_how_often_one_may(tmp_path: Path) -> None:
    from starlette.types import Scope

    from cim_core.errors import TooMany
    from server.edge.rates import Rates
    from server.settings import Settings

    rates = Rates(Settings(city=tmp_path, rate_person=2, rate_record=5))
    person = Person("p", "gateway", ("data-manager",), "key", key="k")

    def ask(path: str) -> None:
        scope: Scope = {
            "type": "http", "method": "POST", "path": path, "headers": [], "client": ("10.0.0.1", 1),
            "state": {"person": person},
        }  # fmt: skip
        rates.person(scope)

    for _ in range(5):
        ask("/ingest")
    with pytest.raises(TooMany):
        ask("/ingest")
    ask("/cells/outlines")
