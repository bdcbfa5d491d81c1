"""Messages of T/CSAE 53 and SAE J2735: raw units decoded, special values left out, errors by their element."""

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.traffic.moving import ROAD_USERS
from cim_core.traffic.roads import Intersection, Light, RoadMap, SignalGroup
from pipelines.v2x_element import Element
from pipelines.v2x_heard import Heard, Names, positions_of, signals_of
from pipelines.v2x_messages import read_message
from pipelines.v2x_refused import MessageRefused
from pipelines.v2x_times import HOUR, MINUTE, end_of, minute_of_year, moment, of_text

AT = 1_790_000_040_000
"""A full minute: 2026-09-21T14:14:00Z."""

ROADS = RoadMap(
    intersections=(
        Intersection(id="north", place=(113.5, 23.1), node=(12, 7)),
        Intersection(id="south", place=(113.5, 23.0), node=(13, 8)),
    ),
    groups=(SignalGroup(id="n-left", intersection="north", number=2),),
)

BSM = {
    "id": "a1", "secMark": 500, "pos": {"lat": 231060000, "long": 1135000000}, "speed": 695,
    "heading": 7200, "accelSet": {"long": -250, "lat": 0, "vert": 0, "yaw": 0},
    "size": {"width": 180, "length": 450}, "vehicleClass": {"classification": 10},
}  # fmt: skip


def heard(message: Any, arrived: int = AT, names: Names | None = None) -> Heard:
    found = Heard()
    text = message if isinstance(message, bytes) else json.dumps(message).encode()
    read_message(text, found, names or Names(), arrived)
    return found


def refusal(message: Any) -> MessageRefused:
    found = Heard()
    text = message if isinstance(message, bytes) else json.dumps(message).encode()
    with pytest.raises(MessageRefused) as caught:
        read_message(text, found, Names(), AT)
    assert len(found) == 0
    return caught.value


def counting(light: int, likely: int, start: int = 0) -> dict[str, Any]:
    times = {
        "startTime": start,
        "minEndTime": likely,
        "maxEndTime": likely,
        "likelyEndTime": likely,
    }
    return {"light": light, "timing": {"counting": times}}


def test_the_raw_integers_of_a_bsm_become_what_they_mean() -> None:
    [row] = heard({"bsmFrame": BSM}).positions
    assert row == (
        AT + 500, "a1", 113.5, 23.106, pytest.approx(13.90), 90.0, -2.5,
        ROAD_USERS.index("passenger"), 4.5,
    )  # fmt: skip
    assert row[4] * 3.6 == pytest.approx(50.04)
    assert heard(BSM).positions == [row]


def test_special_values_are_no_numbers() -> None:
    unknown = {"speed": 8191, "heading": 28800, "accelSet": {"long": 2001}, "size": {"length": 0}}
    [row] = heard({"bsmFrame": {**BSM, **unknown, "secMark": 65535}}).positions
    assert row[0] == AT
    assert [math.isnan(row[n]) for n in (4, 5, 6, 8)] == [True] * 4
    bare = {name: BSM[name] for name in ("id", "secMark", "pos")}
    [row] = heard({"bsmFrame": bare}).positions
    assert row[7] == 0 and math.isnan(row[4])
    for place in ({"lat": 900000001, "long": 0}, {"lat": 0, "long": 1800000001}):
        assert len(heard({"bsmFrame": {**BSM, "pos": place}})) == 0


@pytest.mark.parametrize(
    ("number", "user"),
    [(10, "passenger"), (20, "light-truck"), (25, "truck"), (35, "truck"), (44, "motorcycle"),
     (50, "bus"), (69, "emergency"), (83, "other"), (91, "unknown"), (0, "unknown")],
)  # fmt: skip
def test_classes_of_vehicles(number: int, user: str) -> None:
    [row] = heard({"bsmFrame": {**BSM, "vehicleClass": {"classification": number}}}).positions
    assert ROAD_USERS[row[7]] == user


@settings(deadline=None, max_examples=50)
@given(
    st.integers(-899_999_999, 900_000_000), st.integers(-1_799_999_999, 1_800_000_000),
    st.integers(0, 8190), st.integers(0, 28799), st.integers(-2000, 2000), st.integers(1, 4095),
)  # fmt: skip
def test_every_raw_value_is_decoded_by_its_unit(
    lat: int, lon: int, speed: int, heading: int, acceleration: int, length: int
) -> None:
    message = {
        **BSM, "pos": {"lat": lat, "long": lon}, "speed": speed, "heading": heading,
        "accelSet": {"long": acceleration}, "size": {"length": length},
    }  # fmt: skip
    positions = positions_of(heard({"bsmFrame": message}).positions)
    assert round(positions.lat[0] * 1e7) == lat and round(positions.lon[0] * 1e7) == lon
    assert round(float(positions.speeds[0]) / 0.02) == speed
    assert round(float(positions.headings[0]) / 0.0125) == heading
    assert round(float(positions.accelerations[0]) * 100) == acceleration
    assert round(float(positions.lengths[0]) * 100) == length


def test_participants_of_an_rsm_stand_where_they_are_from_the_unit() -> None:
    def one(number: int, kind: int, offset: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"ptcType": kind, "ptcId": number, "source": 3, "secMark": 0,
                "pos": {"offsetLL": offset}, "speed": 50, "heading": 0, **more}  # fmt: skip

    message = {
        "id": "rsu1", "refPos": {"lat": 231000000, "long": 1135000000},
        "participants": [
            one(1, 1, {"position_LL1": {"lon": 1000, "lat": -2000}}, id="car", vehicleClass={"classification": 54}),
            one(2, 3, {"position-LatLon": {"lon": 1135100000, "lat": 231100000}}),
            one(3, 2, {"position-LL6": {"lon": 0, "lat": 0}}),
            one(4, 4, {"position-LL6": {"lon": 0, "lat": 0}}),
        ],
    }  # fmt: skip
    rows = heard({"rsmFrame": message}).positions
    assert [(row[1], row[2], row[3], ROAD_USERS[row[7]]) for row in rows] == [
        ("car", 113.5001, 23.0998, "bus"),
        ("rsu1/2", 113.51, 23.11, "pedestrian"),
        ("rsu1/3", 113.5, 23.1, "bicycle"),
    ]


def test_a_spat_names_intersections_and_groups_as_the_road_map_does() -> None:
    def at(node: dict[str, int], *phases: dict[str, Any]) -> dict[str, Any]:
        return {"intersectionId": node, "status": "0020", "timeStamp": 1500, "phases": list(phases)}

    soon = {"startUTCTime": 0, "minEndUTCTime": 8640, "likelyEndUTCTime": 8660}
    message = {
        "msgCnt": 1,
        "intersections": [
            at({"region": 12, "id": 7},
               {"id": 2, "phaseStates": [counting(3, 400, start=300), counting(6, 120)]},
               {"id": 9, "phaseStates": [counting(3, 36001)]}),
            at({"id": 8}, {"id": 1, "phaseStates": [{"light": "yellow", "timing": {"utcTiming": soon}}]}),
            at({"region": 4, "id": 4}, {"id": 1, "phaseStates": [{"light": 0}]}),
        ],
    }  # fmt: skip
    rows = heard({"spatFrame": message}, names=Names(ROADS)).signals
    assert [(row[0], row[1], row[2], get_args(Light)[row[3]]) for row in rows] == [
        (AT + 1500, "north", "n-left", "protected-green"),
        (AT + 1500, "north", "9", "red"),
        (AT + 1500, "south", "1", "yellow"),
        (AT + 1500, "4-4", "1", "unknown"),
    ]
    assert rows[0][4] == 12.0
    assert math.isnan(rows[1][4]) and math.isnan(rows[3][4])
    assert rows[2][4] == pytest.approx(866.0 - (AT % HOUR / 1000 + 1.5))


def test_what_an_rsi_warns_of_is_a_notice() -> None:
    event = {"rteId": 3, "eventType": 401, "eventSource": 5, "eventRadius": 500,
             "eventPos": {"offsetLL": {"position_LL3": {"lon": 100, "lat": 200}}},
             "description": {"textString": "works"}, "timeDetails": {"startTime": 0, "endTime": 527040}}  # fmt: skip
    sign = {"rtsId": 1, "signType": 38}
    message = {
        "id": "u",
        "refPos": {"lat": 231000000, "long": 1135000000},
        "rtes": [event],
        "rtss": [sign],
    }
    first, second = heard({"rsiFrame": message}).notices
    assert (first.id, first.kind, first.type, first.radius) == ("u/e3", "event", 401, 50.0)
    assert first.place == (113.50001, 23.10002) and first.text == "works"
    assert first.start == 1798761600000 and first.end is None  # the nearest 1st of January
    assert (second.id, second.kind, second.type, second.place) == (
        "u/s1",
        "sign",
        38,
        (113.5, 23.1),
    )


@settings(deadline=None, max_examples=100)
@given(
    st.datetimes(datetime(2019, 1, 1), datetime(2100, 1, 1)).map(lambda t: t.replace(tzinfo=UTC)),
    st.integers(-29_000, 29_000), st.integers(-500_000, 2_900_000),
)  # fmt: skip
def test_parts_of_a_time_are_found_again_over_minutes_hours_and_years(
    said: datetime, late: int, ahead: int
) -> None:
    at = round(said.timestamp() * 1000)
    second = at % MINUTE
    begin = datetime(said.year, 1, 1, tzinfo=UTC)
    minute = (said.replace(tzinfo=UTC) - begin) // timedelta(minutes=1)
    if at // MINUTE * MINUTE == round(begin.timestamp() * 1000) + minute * MINUTE:
        assert moment(second, minute, at + late) == at
        assert minute_of_year(minute, at + late) == at // MINUTE * MINUTE
    assert moment(second, None, at + late) == at
    end = (at + ahead) // 100 * 100
    assert end_of(end % HOUR // 100, at) == end


def test_times_that_are_none() -> None:
    assert moment(65_535, 5, AT) == moment(None, 5, AT) == AT
    assert moment(7, 527_040, AT) == moment(7, None, AT)
    assert end_of(36_000, AT) is end_of(36_001, AT) is end_of(None, AT) is None
    new_year = round(datetime(2027, 1, 1, tzinfo=UTC).timestamp() * 1000)
    assert moment(59_900, 525_599, new_year + 50) == new_year - 100
    assert moment(100, 0, new_year - 50) == new_year + 100


@pytest.mark.parametrize(
    ("message", "path", "found", "wanted"),
    [
        ({"bsmFrame": {**BSM, "speed": 8192}}, "$.bsmFrame.speed", "8192", "int <= 8191"),
        ({"bsmFrame": {**BSM, "heading": "north"}}, "$.bsmFrame.heading", '"north"', "int | null"),
        ({"bsmFrame": {**BSM, "pos": {"lat": 1}}}, "$.bsmFrame.pos.long", None, "a value"),
        ({"spatFrame": {"intersections": []}}, "$.spatFrame.intersections", "[]", "array of length >= 1"),
        ({"intersections": [{"intersectionId": {"id": 1}, "phases": [{"id": 1, "phaseStates": [{"light": 9}]}]}]},
         "$.intersections[0].phases[0].phaseStates[0].light", "9", "0 to 8"),
        ({"positions": [{"who": "a", "lon": 1, "lat": 2, "time": "soon"}]}, "$.positions[0].time", '"soon"', "ISO 8601"),
        ({"positions": [{"who": "a", "lon": 1, "lat": 2, "spede": 3}]}, "$.positions[0].spede", "unknown", "an element"),
        ({"signals": [{"intersection": "x", "group": "1", "light": "blue"}]}, "$.signals[0].light", '"blue"', "values"),
        ({"hello": 1}, "$", '{"hello":1}', "bsmFrame"),
        (b'{"bsmFrame": ', "$", '{"bsmFrame":', "JSON"),
        (b"\xff", "$", "\ufffd", "JSON"),
        (b"[Infinity]", "$", "[Infinity]", "JSON"), (b'{"positions": 3, "who": \xff}', "$", None, "JSON"),
    ],
)  # fmt: skip
def test_a_message_is_refused_with_its_element(
    message: Any, path: str, found: str | None, wanted: str
) -> None:
    error = refusal(message)
    assert error.path == path
    if found is not None:
        assert error.found == found
    assert wanted in error.wanted
    assert path in error.sentence


@settings(deadline=None, max_examples=60)
@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["bsmFrame", "spatFrame", "intersections", "phases", "metadata", "payload",
                         "positions", "who", "lon", "rtes", "id", "pos"]), inner, max_size=4),
    max_leaves=12,
))  # fmt: skip
def test_whatever_is_sent_is_taken_or_refused(document: Any) -> None:
    found = Heard()
    try:
        read_message(json.dumps(document).encode(), found, Names(), AT)
    except MessageRefused as error:
        assert len(found) == 0 and error.path.startswith("$")


def test_the_published_valid_spat_is_decoded(data: Path) -> None:
    rows = signals_of(heard((data / "v2x/gj_valid.spat.json").read_bytes()).signals)
    states = json.loads((data / "v2x/gj_valid.spat.json").read_text())["payload"]["data"]
    [one] = states["intersectionStateList"]["intersectionStatelist"]
    wanted = {
        str(m["signalGroup"]): m["state_time_speed"]["movementEventList"][0]
        for m in one["states"]["movementList"]
    }
    names = {"PROTECTED_MOVEMENT_ALLOWED": "protected-green", "STOP_AND_REMAIN": "red"}
    assert rows.groups.texts().tolist() == list(wanted)
    assert [get_args(Light)[light] for light in rows.lights] == [
        names[event["eventState"]] for event in wanted.values()
    ]
    assert set(rows.intersections.texts()) == {"0-12111"}
    came = datetime.fromisoformat("2022-10-18T23:02:35.176+00:00")
    assert set(rows.times.tolist()) == {round(came.timestamp() * 1000)}
    into = 2 * 60 + 35.176
    assert rows.remaining.tolist() == pytest.approx(
        [event["timing"]["minEndTime"] / 10 - into for event in wanted.values()], abs=1e-3
    )


def test_the_published_invalid_spat_is_refused_by_its_first_missing_element(data: Path) -> None:
    error = refusal((data / "v2x/gj_invalid.spat.json").read_bytes())
    first = "$.payload.data.intersectionStateList.intersectionStatelist[0].states.movementList[0]"
    assert error.path == f"{first}.signalGroup" and error.found is None


def test_maps_are_looked_at_and_not_kept(data: Path) -> None:
    found = heard((data / "v2x/gj_valid.map.json").read_bytes())
    assert (len(found), found.maps) == (0, 1)
    error = refusal((data / "v2x/gj_invalid.map.json").read_bytes())
    assert (
        error.path
        == "$.payload.data.intersections.intersectionGeometry[0].laneSet.GenericLane[4].laneID"
    )
    assert error.found == "6000"
    assert refusal({"mapFrame": {"nodes": []}}).path == "$.mapFrame.nodes"


def test_an_unknown_state_of_a_light_is_refused_where_it_stands(data: Path) -> None:
    message = json.loads((data / "v2x/gj_valid.spat.json").read_text())
    [one] = message["payload"]["data"]["intersectionStateList"]["intersectionStatelist"]
    event = one["states"]["movementList"][3]["state_time_speed"]["movementEventList"][0]
    event["eventState"] = "INVALID_PHASE_STATE"
    error = refusal(message)
    assert error.path.endswith("movementList[3].state_time_speed.movementEventList[0].eventState")
    assert error.path.startswith("$.payload.data.intersectionStateList.")
    event["eventState"] = "stop-Then-Proceed"
    assert get_args(Light)[heard(message).signals[3][3]] == "flashing-red"


@pytest.mark.parametrize(("name", "count"), [("bsmTx", 16), ("bsmLogDuringEvent", 222)])
def test_recorded_bsms_are_decoded_with_numbers_in_quotes_or_not(
    data: Path, name: str, count: int
) -> None:
    lines = (data / f"v2x/ode_{name}.json").read_text().splitlines()
    messages = [json.loads(line) for line in lines if line.strip()]
    found = heard_all = Heard()
    for message in messages:
        quoted = json.loads(json.dumps(message), parse_float=str, parse_int=str)
        read_message(json.dumps(quoted).encode(), heard_all, Names(), AT)
    assert len(found.positions) == count
    for row, message in zip(found.positions, messages, strict=True):
        core = message["payload"]["data"]["coreData"]
        said = datetime.fromisoformat(message["metadata"]["recordGeneratedAt"])
        assert row[0] % MINUTE == core["secMark"]
        assert abs(row[0] - said.timestamp() * 1000) < MINUTE / 2
        assert row[1:6] == (
            core["id"], core["position"]["longitude"], core["position"]["latitude"],
            core["speed"], core["heading"],
        )  # fmt: skip
        assert row[6] == core["accelSet"]["accelLong"] and row[8] == core["size"]["length"] / 100


def test_plain_rows_and_maps() -> None:
    found = heard(
        {"positions": [{"who": "x", "lon": 113.5, "lat": 23.1, "kind": "bus", "heading": 360,
                        "time": "2026-09-21T22:14:01+08:00"}],
         "signals": [{"intersection": "n", "group": "1", "light": "red", "remaining": 4, "time": AT}]}
    )  # fmt: skip
    [row], [signal] = found.positions, found.signals
    assert row[0] == AT + 1000 and row[5] == 0 and ROAD_USERS[row[7]] == "bus"
    assert signal == (AT, "n", "1", 3, 4.0)
    shown = [("12-7", "2"), ("12-7", "9"), ("north", "n-left"), ("4-4", "2")]
    rows = [{"intersection": i, "group": g, "light": "dark", "time": AT} for i, g in shown]
    found = heard({"signals": rows}, names=Names(ROADS))
    assert [row[1:3] for row in found.signals] == [
        ("north", "n-left"), ("north", "9"), ("north", "n-left"), ("4-4", "2"),
    ]  # fmt: skip


def ode_bsm(said: str, **more: Any) -> dict[str, Any]:
    core = {"id": "a", "secMark": 500, "position": {"latitude": 23.1, "longitude": 113.5}} | more
    return {
        "metadata": {"payloadType": "OdeBsmPayload", "recordGeneratedAt": said},
        "payload": {"data": {"coreData": core}},
    }


@pytest.mark.parametrize("said", ["9999-12-31T23:00:00Z", "0001-01-01T00:00:00Z", "1969-12-31"])
def test_a_time_that_no_clock_shows_is_none(said: str) -> None:
    assert of_text(said) is None
    assert heard(ode_bsm(said)).positions[0][0] == AT + 500


def test_nothing_is_left_of_a_message_whatever_is_wrong_with_it() -> None:
    class Broken(Names):
        def told(self, intersection: str, group: str) -> tuple[str, str]:
            raise ValueError

    rows = {
        "positions": [{"who": "a", "lon": 113.5, "lat": 23.1}],
        "signals": [{"intersection": "x", "group": "1", "light": "red"}],
    }
    found = Heard()
    with pytest.raises(ValueError):
        read_message(json.dumps(rows).encode(), found, Broken(), AT)
    assert len(found) == 0


@pytest.mark.parametrize("text", ["--5", "-", "5-", "", "٥", "1" * 19])
def test_a_text_that_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(MessageRefused, match="a whole number from -9 to 9"):
        Element(text, ("a",)).whole(-9, 9)
    assert Element("-5").whole(-9, 9) == -5


def test_numbers_and_places_that_cannot_be_are_refused() -> None:
    wrong = refusal(ode_bsm("2026-09-21T14:14:00Z", accelSet={"accelLong": 1e308}))
    assert wrong.path == "$.payload.data.coreData.accelSet.accelLong"
    pole = {"lat": 900_000_000, "long": 1_790_000_000}
    far = {"offsetLL": {"position_LL6": {"lat": 900_000_000, "lon": 1_790_000_000}}}
    rsi = {"id": "u", "refPos": pole, "rtes": [{"rteId": 3, "eventType": 401, "eventPos": far}]}
    assert refusal({"rsiFrame": rsi}).path == "$.rsiFrame.rtes[0].eventPos"
    one = {"ptcType": 1, "ptcId": 1, "secMark": 500, "pos": far}
    rsm = {"id": "u", "refPos": pole, "participants": [one]}
    assert refusal({"rsmFrame": rsm}).path == "$.rsmFrame.participants[0].pos"
    assert refusal(rsm).path == "$.participants[0].pos"
