"""Measures and states of roads over HTTP: what is told, to whom, and how often it is computed."""

import contextlib
import csv
import io
import logging
from collections.abc import Iterator

import numpy as np
import pyarrow.parquet as pq
import pytest

from cim_core.traffic.moving import Positions, joined
from server.traffic.work import Work
from tests.support.inside import Inside
from tests.support.traffic import ARM, along, at_places, city_with_roads, shown

START = 1_780_000_020_000
"""A whole minute."""
MINUTE = 60_000
GREEN, YELLOW, RED = 6, 7, 3
CARS = 8
"""From the south northwards, one every 15 s; they do not stop."""
TIMES = {"start": START, "end": START + 2 * MINUTE}


def car(number: int, begun: int) -> Positions:
    """One that drives north at 10 m/s from one end to the other, at 2 Hz."""
    times = np.arange(0, 1000 * int(2 * ARM / 10), 500)
    return at_places(
        begun + times, [f"car {number}"] * len(times), along(0.0, -ARM + times / 100.0)
    )


def signals() -> list:
    """Four cycles: north and south green for 30 s, then red for 30 s."""
    times = START - MINUTE + np.arange(0, 4 * MINUTE, 30_000)
    lights = np.tile([GREEN, RED], 4)
    return [shown(times, ["ns"] * 8, lights), shown(times, ["ew"] * 8, lights[::-1])]


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """A city with a public road map and a sensitive one, on which the same cars drove."""
    folder = tmp_path_factory.mktemp("measures") / "city"
    city = city_with_roads(folder, open="public", secret="sensitive")
    cars = joined([car(n, START - 10_000 + 15_000 * n) for n in range(CARS)], Positions)
    for layer in ("open", "secret"):
        for what in (cars, *signals()):
            city.traffic.append(layer, what)
    with Inside(folder) as made:
        yield made


@pytest.fixture(autouse=True)
def clean_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions that are computed, by name."""
    found: list[str] = []
    ask = Work.ask

    def counted(self: Work, question: object, *rest: object, **more: object) -> object:
        found.append(question.__name__)  # type: ignore[attr-defined]
        return ask(self, question, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Work, "ask", counted)
    return found


def get(inside: Inside, path: str, who: str = "stranger", **more: object) -> object:
    told = {"layer": "open", **TIMES, **more}
    return inside.client(who).get(path, params={k: v for k, v in told.items() if v is not None})


def test_every_kind_of_measure_comes_of_one_matching(inside: Inside, asked: list[str]) -> None:
    volumes = {}
    for by in ("movement", "approach", "lane", "phase"):
        answer = get(inside, "/measures", intersection="J1", by=by, bin=60)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        names = [column["name"] for column in told["columns"]]
        rows = [dict(zip(names, row, strict=True)) for row in told["rows"]]
        volumes[by] = sum(row["volume"] for row in rows)
        assert {row["start"] for row in rows} == {"2026-05-28T20:27:00Z", "2026-05-28T20:28:00Z"}
        assert told["compared"] is None and told["by"] == by
    # They cross the stop line 19 s after they begin: 9 s, 24 s … after START, eight in two minutes.
    assert volumes == dict.fromkeys(volumes, CARS)
    assert asked == ["measures"]


def test_another_window_is_told_beside_it(inside: Inside) -> None:
    told = get(
        inside, "/measures", intersection="J1", by="approach", bin=120, compare=START - 2 * MINUTE
    ).json()  # fmt: skip
    names = [column["name"] for column in told["columns"]]

    def volume(rows: list) -> float:
        return sum(dict(zip(names, row, strict=True))["volume"] or 0 for row in rows)

    assert told["compared"]["start"] == START - 2 * MINUTE
    assert (volume(told["rows"]), volume(told["compared"]["rows"])) == (CARS, 0)


def test_what_is_recorded_later_is_measured_anew(inside: Inside, asked: list[str]) -> None:
    def volume() -> float:
        told = get(inside, "/measures", "data-manager", intersection="J1", layer="secret", bin=120)
        assert told.status_code == 200, told.text
        names = [column["name"] for column in told.json()["columns"]]
        return sum(dict(zip(names, r, strict=True))["volume"] for r in told.json()["rows"])

    assert (volume(), volume()) == (CARS, CARS)
    inside.city.traffic.append("secret", car(99, START + 2_000))
    assert volume() == CARS + 1
    inside.city.traffic.append("secret", car(99, START + 3_600_000))  # beside the window
    assert volume() == CARS + 1
    assert asked == ["measures"] * 2


def test_tables_are_taken_out_as_files(inside: Inside) -> None:
    told = get(inside, "/measures", intersection="J1", by="lane", bin=60).json()
    answer = get(inside, "/measures", intersection="J1", by="lane", bin=60, format="csv")
    assert answer.headers["x-export-id"]
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 1 + len(told["rows"])
    assert rows[0][:2] == ["start", "lane"] and "delay_s (s)" in rows[0]
    answer = get(inside, "/measures", intersection="J1", by="lane", bin=60, format="parquet")
    table = pq.read_table(io.BytesIO(answer.content))
    assert table.num_rows == len(told["rows"])
    assert table.schema.metadata[b"export"].decode() == answer.headers["x-export-id"]


@pytest.mark.parametrize("by", ["link", "corridor", "h3"])
def test_roads_are_told_by_link_corridor_and_cell(inside: Inside, by: str) -> None:
    answer = get(inside, "/roads/states", by=by, bin=60)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    states = {one["id"] for one in told["states"]}
    assert {row["state"] for row in told["rows"]} <= states | {None}
    if by == "link":
        driven = {(row["layer"], row["id"]) for row in told["rows"]}
        assert driven == {("open", "north-in"), ("open", "north-out")}
        assert set(told["lines"]) == {"open/north-in", "open/north-out"}
        free = [row for row in told["rows"] if row["tti"] is not None]
        assert free and all(row["tti"] == pytest.approx(1.0, abs=0.02) for row in free)
    if by == "corridor":  # the corridor goes east and west, where nobody drove
        assert told["rows"] == []
    if by == "h3":
        assert told["rows"] and all(len(row["cell"]) == 15 for row in told["rows"])


def test_diagrams_show_cycles_queues_and_the_way_along(inside: Inside) -> None:
    told = get(inside, "/measures/cycles", intersection="J1")
    assert told.status_code == 200, told.text
    greens = {(one["group"], one["start"]): one for one in told.json()["cycles"]}
    assert set(greens) == {
        ("ns", START), ("ns", START + MINUTE), ("ew", START + 30_000), ("ew", START + 90_000)
    }  # fmt: skip
    assert all((one["green"], one["yellow"]) == (30, 0) for one in greens.values())
    arrivals = told.json()["arrivals"]
    assert len(arrivals) == CARS and {one["group"] for one in arrivals} == {"ns"}
    told = get(inside, "/measures/queues", intersection="J1", step=10)
    assert told.status_code == 200, told.text
    queues = told.json()
    assert "north-in-1" in queues["lanes"] and len(queues["times"]) in (12, 13)
    assert np.array(queues["metres"], float).shape == (len(queues["lanes"]), len(queues["times"]))
    assert np.nanmax(np.array(queues["vehicles"], float)) == 0  # nobody stopped
    told = get(inside, "/measures/time-space", corridor="main")
    assert told.status_code == 200, told.text
    assert told.json()["tracks"] == []  # nobody drove along it
    assert [one["intersection"] for one in told.json()["stops"]] == ["J1"]


@pytest.mark.parametrize(
    ("path", "more", "word"),
    [
        ("/measures", {"intersection": "J1", "end": START + 25 * 60 * MINUTE}, "at most 1440"),
        ("/measures", {"intersection": "J1", "end": START}, "no time lies between"),
        ("/measures", {"intersection": "J1", "by": "colour"}, "by"),
        ("/measures", {"intersection": "J1", "compare": "then"}, "is no time"),
        ("/measures/cycles", {"intersection": "J1", "end": START + 5 * 3600_000}, "at most 240"),
        ("/measures/time-space", {}, "corridor"),
        ("/roads/states", {"definition": "none"}, "none"),
    ],
)
def test_what_is_too_much_or_nonsense_is_said(
    inside: Inside, path: str, more: dict, word: str
) -> None:
    answer = get(inside, path, **more)
    assert answer.status_code == 422 and word in answer.text
    assert "detail_zh" in answer.json() or "by" in more


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/measures", {"intersection": "J1"}),
        ("/measures", {"intersection": "J1", "format": "csv"}),
        ("/measures/cycles", {"intersection": "J1"}),
        ("/measures/queues", {"intersection": "J1"}),
        ("/measures/time-space", {"corridor": "main"}),
        ("/measures/time-space", {"from": "J1", "to": "J1"}),
        ("/roads/states", {}),
    ],
)
def test_who_does_not_see_a_road_map_whole_is_told_as_if_it_were_not_there(
    inside: Inside, path: str, more: dict
) -> None:
    for who in ("stranger", "viewer"):
        refused = get(inside, path, who, layer="secret", **more)
        absent = get(inside, path, who, layer="absent", **more)
        assert refused.status_code == absent.status_code == 404
        assert refused.json()["detail"] == absent.json()["detail"].replace("absent", "secret")


def test_what_a_question_raises_is_said_and_too_many_are_sent_away(inside: Inside) -> None:
    answer = get(inside, "/measures/time-space", **{"from": "J1", "to": "J9"})
    assert answer.status_code == 404 and "J9" in answer.json()["detail"]
    room = inside.app.state.cim.work._room
    taken = [room.acquire(blocking=False) for _ in range(100)]
    refused = get(inside, "/measures", intersection="J1", bin=77)
    for _ in range(sum(taken)):
        room.release()
    assert refused.status_code == 429 and refused.headers["retry-after"]
    assert get(inside, "/measures", intersection="J1", bin=77).status_code == 200


def test_who_asks_much_leaves_room_for_others(inside: Inside) -> None:
    """Strangers are told apart by their addresses, people by their accounts."""
    work, asked = inside.app.state.cim.work, {"intersection": "J1", "bin": 77}
    with contextlib.ExitStack() as many:
        for _ in range(6):
            many.enter_context(work.place("127.0.0.1"))
        for path in ("/measures", "/roads/states", "/traffic/tracks"):
            refused = get(inside, path, **asked)
            assert refused.status_code == 429 and refused.headers["retry-after"], path
            assert "your questions" in refused.json()["detail"]
        assert get(inside, "/measures", "viewer", **asked).status_code == 200
    assert get(inside, "/measures", **asked).status_code == 200
    assert not work._asking


def test_states_of_all_roads_are_of_those_that_somebody_sees(inside: Inside) -> None:
    def layers(who: str) -> set[str]:
        told = get(inside, "/roads/states", who, layer=None, bin=120).json()
        return {row["layer"] for row in told["rows"]}

    assert layers("stranger") == layers("viewer") == {"open"}
    assert layers("data-manager") == {"open", "secret"}


def test_who_may_look_but_not_take_out_gets_no_file(inside: Inside) -> None:
    for form, status in (("json", 200), ("csv", 403)):
        answer = get(
            inside, "/measures", "supervisor", intersection="J1", layer="secret", format=form
        )
        assert answer.status_code == status, answer.text
