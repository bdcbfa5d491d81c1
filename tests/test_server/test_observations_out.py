"""What is told of observations over HTTP: things, series, heat, availability, and to whom."""

import io
import time
from collections.abc import Iterator
from pathlib import Path

import h3
import mapbox_vector_tile
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cim_core.observations import observations
from tests.conftest import import_file
from tests.support.alarming import add_thing
from tests.support.inside import Inside
from tests.support.sensing import record, say

LON, LAT = 113.46, 23.10
SECRET = "secret"
VIEWER, STRANGER = "viewer", "stranger"


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """A city with things of a public layer, of one for managers only, and of none."""
    folder = tmp_path_factory.mktemp("out")
    with Inside(folder / "city") as made:
        for name, sensitivity in (("open", "public"), (SECRET, "sensitive")):
            path = folder / f"{name}.geojson"
            path.write_text(
                '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {},'
                f' "geometry": {{"type": "Point", "coordinates": [{LON}, {LAT}]}}}}]}}'
            )
            import_file(made.city, path, options={"sensitivity": sensitivity})
        yield made


@pytest.fixture(scope="module")
def streams(inside: Inside) -> dict[str, int]:
    """Their datastreams, each observed three times within the last minutes."""
    live, found = inside.city.live, {}
    for row in range(6):
        at = (LON + 0.004 * row, LAT)
        found[f"open {row}"] = add_thing(live, f"open {row}", ("level", "rain"), layer="open", at=at, kind="water", every=600)[0]  # fmt: skip
    found["hidden"] = add_thing(live, "hidden", ("level",), layer=SECRET, kind="gas", every=600)[0]
    found["free"] = add_thing(live, "free", ("level",), at=None)[0]
    now = round(time.time() * 1000)
    for place, number in enumerate(found.values()):
        record(
            inside.city,
            observations([number] * 3, [now - 180_000, now - 120_000, now - 60_000], [place, place + 1.0, place + 5.0]),
        )  # fmt: skip
    return found


def test_classes_are_told_with_their_names_and_colours(inside: Inside) -> None:
    classes = inside.client(VIEWER).get("/sensor-classes").json()["classes"]
    assert {"elevator", "gas", "water"} <= {one["id"] for one in classes}
    assert all(one["title"]["zh"] and one["color"].startswith("#") for one in classes)


def test_things_are_told_with_their_newest_values(inside: Inside, streams: dict[str, int]) -> None:
    answer = inside.client("data-manager").get("/things").json()
    assert answer["total"] == 8
    by_name = {one["name"]: one for one in answer["things"]}
    one = by_name["open 2"]
    assert (one["class"], one["layer"], one["state"], one["alarm"]) == ("water", "open", "ok", None)
    assert (one["lon"], one["lat"], one["height"]) == (LON + 0.008, LAT, None)
    level, rain = one["datastreams"]
    assert (level["id"], level["value"], level["state"]) == (streams["open 2"], 7.0, "ok")
    assert (rain["value"], rain["time"], rain["state"]) == (None, None, "never")
    assert by_name["free"]["lon"] is None
    same = inside.client("data-manager").get(f"/things/{one['id']}")
    assert same.json() == one


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"layer": "open"}, {f"open {n}" for n in range(6)}),
        ({"class": "gas"}, {"hidden"}),
        ({"property": "rain"}, {f"open {n}" for n in range(6)}),
        ({"bbox": f"{LON + 0.003},{LAT - 1},{LON + 0.009},{LAT + 1}"}, {"open 1", "open 2"}),
        ({"polygon": f"POLYGON(({LON + 0.019} 23, {LON + 1} 23, {LON + 1} 24, {LON + 0.019} 24, {LON + 0.019} 23))"}, {"open 5"}),
        ({"polygon": '{"type": "Polygon", "coordinates": [[[113, 23], [113.461, 23], [113.461, 24], [113, 23]]]}'}, {"open 0", "hidden"}),
        ({"cell": h3.latlng_to_cell(LAT, LON, 9)}, {"open 0", "hidden"}),
        ({"cell": h3.latlng_to_cell(LAT, LON, 9), "ring": 2}, None),
    ],
)  # fmt: skip
def test_things_are_found_by_layer_class_property_and_place(
    inside: Inside, streams: dict[str, int], asked: dict[str, str], names: set[str] | None
) -> None:
    answer = inside.client("data-manager").get("/things", params=asked).json()
    found = {one["name"] for one in answer["things"]}
    if names is None:
        disk = h3.grid_disk(asked["cell"], asked["ring"])
        names = {
            f"open {n}" for n in range(6) if h3.latlng_to_cell(LAT, LON + 0.004 * n, 9) in disk
        }
        names.add("hidden")
        assert 2 < len(names) < 7
    assert found == names


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/things?polygon=POINT(1 1)", "is no area"),
        ("/things?polygon={", "is no area"),
        ("/things?cell=xyz", "not an H3 cell"),
        ("/things?bbox=1,2", "not a box"),
        ("/things/999999", "no thing 999999"),
        ("/observations/series?datastreams=a", "are no ids"),
        ("/observations/series?datastreams=999999", "no datastream 999999"),
        ("/observations/series?datastreams=1&start=5&end=5", "no time lies between"),
        ("/heat/level?start=1&window=5", "the same twice"),
        ("/heat/level?start=9&end=5", "no time lies between"),
        ("/observations/series?datastreams=" + ",".join(map(str, range(1, 80))), "at most 64"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_both_languages(
    inside: Inside, streams: dict[str, int], path: str, words: str
) -> None:
    answer = inside.client("data-manager").get(path)
    assert answer.status_code in (404, 422)
    assert words in answer.json()["detail"]
    assert answer.json()["detail_zh"]


def test_arrow_has_what_json_has(inside: Inside, streams: dict[str, int]) -> None:
    client = inside.client("data-manager")
    rows = [
        (one["id"], stream["id"], stream["value"], stream["state"])
        for one in client.get("/things").json()["things"]
        for stream in one["datastreams"]
    ]
    answer = client.get("/things?f=arrow")
    table = pa.ipc.open_stream(io.BytesIO(answer.content)).read_all().to_pylist()
    assert [(r["thing"], r["datastream"], r["value"], r["state"]) for r in table] == rows
    heat = client.get("/heat/level?resolution=9").json()
    table = pa.ipc.open_stream(io.BytesIO(client.get("/heat/level?resolution=9&f=arrow").content)).read_all()  # fmt: skip
    assert [f"{cell:x}" for cell in table["cell"].to_pylist()] == heat["cells"]
    assert table["value"].to_pylist() == heat["values"]
    assert table.schema.metadata[b"unit"] == heat["unit"].encode()


def test_series_are_told_with_gaps_and_the_limits_of_alarms(
    inside: Inside, streams: dict[str, int]
) -> None:
    client = inside.client("data-manager")
    asked = f"{streams['open 3']},{streams['open 1']}"
    answer = client.get(f"/observations/series?datastreams={asked}&method=raw").json()
    assert [one["datastream"]["thing_name"] for one in answer["series"]] == ["open 3", "open 1"]
    assert answer["series"][0]["values"] == [3.0, 4.0, 8.0]
    assert answer["series"][0]["rows"] == 3
    assert answer["end"] - answer["start"] == 86_400_000
    [gap] = answer["series"][0]["gaps"]
    assert gap == [answer["start"], answer["series"][0]["times"][0]]
    assert all({"level", "value", "direction", "rule"} <= set(one) for one in answer["series"][0]["thresholds"])  # fmt: skip


def test_heat_is_the_mean_of_each_cell_and_tiles_have_the_same(
    inside: Inside, streams: dict[str, int]
) -> None:
    client = inside.client("data-manager")
    heat = client.get("/heat/level?resolution=9").json()
    table = pd.DataFrame(
        [(n, place + add) for n, place in enumerate(range(6)) for add in (0.0, 1.0, 5.0)],
        columns=["n", "value"],
    )
    table["cell"] = [h3.latlng_to_cell(LAT, LON + 0.004 * n, 9) for n in table.n]
    hidden = pd.DataFrame({"value": [6.0, 7.0, 11.0], "cell": h3.latlng_to_cell(LAT, LON, 9)})
    means = pd.concat([table, hidden]).groupby("cell").value.mean()
    assert dict(zip(heat["cells"], heat["values"], strict=True)) == pytest.approx(means.to_dict())
    assert sum(heat["counts"]) == 21
    z = 12
    x = int((LON + 0.01 + 180) / 360 * 2**z)
    n = np.radians(LAT)
    y = int((1 - np.arcsinh(np.tan(n)) / np.pi) / 2 * 2**z)
    tile = client.get(f"/heat/level/tiles/{z}/{x}/{y}.mvt?resolution=9")
    decoded = mapbox_vector_tile.decode(tile.content)
    cells = {one["properties"]["cell"]: one["properties"] for one in decoded["level"]["features"]}
    assert cells and set(cells) <= set(heat["cells"])
    for cell, told in cells.items():
        assert told["value"] == pytest.approx(means[cell])
    assert client.get(f"/heat/level/tiles/{z}/0/0.mvt").status_code == 204
    again = client.get(f"/heat/level/tiles/{z}/{x}/{y}.mvt?resolution=9", headers={"if-none-match": tile.headers["etag"]})  # fmt: skip
    assert again.status_code in (304, 200)  # 200 if a new second began meanwhile


def test_who_asks_again_is_told_only_of_news_and_many_make_one_computation(
    inside: Inside, streams: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = inside.client(VIEWER)
    now = round(time.time() * 1000)
    path = f"/heat/level?resolution=8&start={now - 3_600_000}&end={now + 60_000}"
    answer = client.get(path)
    etag = answer.headers["etag"]
    monkeypatch.setattr("server.observing.heat", lambda *_: pytest.fail("it is made anew"))
    for _ in range(20):
        assert client.get(path, headers={"if-none-match": etag}).status_code == 304
        assert client.get(path).json() == answer.json()
    monkeypatch.undo()
    say(inside.city, streams["open 0"], now, 100.0)
    time.sleep(0.3)  # what is new may be believed not to be there for a quarter of a second
    later = client.get(path, headers={"if-none-match": etag})
    assert later.status_code == 200 and later.headers["etag"] != etag
    assert max(later.json()["values"]) > max(answer.json()["values"])


def test_a_layer_that_is_not_seen_is_nowhere(inside: Inside, streams: dict[str, int]) -> None:
    manager, stranger = inside.client("data-manager"), inside.client(STRANGER)
    hidden = manager.get("/things?class=gas").json()["things"][0]["id"]
    assert {one["name"] for one in stranger.get("/things").json()["things"]} == {
        f"open {n}" for n in range(6)
    }
    assert stranger.get("/things?layer=secret").json() == {"things": [], "total": 0}
    assert stranger.get("/things?layer=absent").json() == {"things": [], "total": 0}
    missing = stranger.get("/things/999998").json()["detail"].replace("999998", "N")
    unseen = stranger.get(f"/things/{hidden}")
    assert (unseen.status_code, unseen.json()["detail"].replace(str(hidden), "N")) == (404, missing)
    series = f"/observations/series?datastreams={streams['hidden']}"
    assert manager.get(series).status_code == 200
    assert stranger.get(series).status_code == 404
    whole = manager.get("/heat/level?resolution=15").json()
    part = stranger.get("/heat/level?resolution=15").json()
    assert sum(whole["counts"]) - sum(part["counts"]) == 3
    counts = stranger.get("/observations/availability").json()
    assert (counts["things"], counts["streams"]) == (6, 12)
    assert {one["class"] for one in counts["by_class"]} == {"water"}
    told = stranger.get("/observations/anomalies").json()
    assert told["looked_at"] + told["too_little"] + told["silent"] == 12
    assert stranger.get("/heat/level?layer=secret").json()["cells"] == []


def test_availability_counts_things_by_state_and_class(
    inside: Inside, streams: dict[str, int]
) -> None:
    told = inside.client("data-manager").get("/observations/availability").json()
    assert told["ok"] == told["things"] == 8
    assert told["list"] == []
    quiet = inside.client("data-manager").get("/observations/availability?class=water").json()
    assert [one["class"] for one in quiet["by_class"]] == ["water"]


def test_a_city_without_things_has_answers_as_well(tmp_path: Path) -> None:
    with Inside(tmp_path / "city") as bare:
        client = bare.client(VIEWER)
        assert client.get("/things").json() == {"things": [], "total": 0}
        assert client.get("/heat/level").json()["cells"] == []
        assert client.get("/heat/level?statistic=p95").json()["cells"] == []
        assert client.get("/observations/availability").json()["things"] == 0
        assert client.get("/observations/anomalies").json()["anomalies"] == []
        assert not (tmp_path / "city" / "live.db").exists()
