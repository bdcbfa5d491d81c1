"""Vital signs: against counts over the raw observations, alarms, vehicles and records."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from analysis.renewal.standing import campaign
from analysis.traffic.congestion import road_states
from analysis.vital_signs import board as board_module
from analysis.vital_signs.board import Board, Sign, vital_signs
from analysis.vital_signs.definitions import city_signs, reason_text, shipped_signs
from analysis.vital_signs.formulas import FORMULAS
from analysis.vital_signs.moments import Asked
from analysis.vital_signs.roads import speed
from cim_core.alarms.rules import default_rules
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.observations import observations
from cim_core.progress import Progress
from cim_core.renewal.lights import city_lights
from cim_core.sight import Part as SeenPart
from cim_core.sight import Sight
from cim_core.store.live_conditions import Found, alarm_by, changed, raised
from server.processes import execute
from tests.support.alarming import add_thing
from tests.support.checkup import box, drawn, line
from tests.support.renewal import renewal_of, towns_of
from tests.support.sensing import record, say
from tests.support.traffic import publish_roads
from tests.support.traffic_scenes import T0, driven, roads

MOMENT = T0 + 37 * 60_000
"""Signs are asked for at this time, 37 minutes past the hour."""
HOUR, DAY = 3_600_000, 86_400_000
MINUTES = {1: 1440, 2: 240, 3: 60, 4: 30}


@dataclass
class Raw:
    """What was put into the city, as plain rows."""

    city: City
    seen: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    every: dict[str, int] = field(default_factory=dict)
    alarms: list[tuple[int, int, int | None]] = field(default_factory=list)
    """Level, raised, answered."""


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raw]:
    city = drawn(
        tmp_path_factory.mktemp("vital") / "city",
        land=[("built", box(0, 0, 1000, 500), {"kind": "built-up"})],
        mains=[
            ("m1", line((0, 10), (300, 10)), {"monitored": "yes"}),
            ("m2", line((0, 20), (700, 20)), {"monitored": "no"}),
        ],
    )  # fmt: skip
    found = Raw(city)
    _observe(found)
    _raise(found)
    publish_roads(city, "streets", roads())
    for number in range(12):
        fast = number % 2 == 0
        pace, begin = (12.0 if fast else 6.0), 60.0 * (20 + number)
        seconds = np.arange(0.0, 390.0 / pace)

        def where(s: float, pace: float = pace, begin: float = begin, fast: bool = fast) -> tuple[float, float]:  # fmt: skip
            along = pace * (s - begin)
            return (5 + along, 3.5) if fast else (825 - along, 8.75)

        city.traffic.append("streets", driven(f"v{number}", begin + seconds, where))
    renewal_of(city)
    towns_of(city)
    yield found
    city.live.close()


def _observe(found: Raw) -> None:
    """Lamps and gauges report for 27 hours, but not always; the lamps go out an hour before."""
    rng = random.Random(10)
    things = [(f"lamp{n}", "lamp", "power", 60) for n in range(5)]
    things += [(f"gauge{n}", "water", "ponding", 300) for n in range(4)]
    streams, times, values = [], [], []
    for name, kind, what, every in things:
        [stream] = add_thing(found.city.live, name, [what], kind=kind, every=float(every), layer="")
        out = [MOMENT - rng.randint(0, 27 * HOUR) for _ in range(3)]
        found.seen[name], found.every[name] = [], every
        value = 10.0
        for time in range(MOMENT - 27 * HOUR, MOMENT + HOUR, every * 1000):
            value = max(0.0, value + rng.uniform(-4, 4))
            quiet = any(begin <= time < begin + 2 * HOUR for begin in out)
            late = kind == "lamp" and name != "lamp0" and time > MOMENT - 30 * 60_000
            if not quiet and not late:
                streams.append(stream)
                times.append(time)
                values.append(value)
                found.seen[name].append((time, value))
    add_thing(found.city.live, "never", ["power"], kind="lamp", every=60.0, layer="")
    found.seen["never"], found.every["never"] = [], 60
    record(found.city, observations(streams, times, values))


def _raise(found: Raw) -> None:
    rng, live = random.Random(3), found.city.live
    rules = [default_rules()[name] for name in ("ponding", "ponding-27", "ponding-40")]
    for number in range(24):
        rule = rules[number % 3]
        [stream] = add_thing(live, f"pit{number}", ["level"], kind="water", layer="")
        at = MOMENT - rng.randint(0, 9 * DAY)
        found.seen[f"pit{number}"], found.every[f"pit{number}"] = [], 0
        answered = (
            None if number % 4 == 0 else at + rng.randint(10, 2 * MINUTES[rule.level]) * 60_000
        )
        with live.transaction() as connection:
            known = live.streams().by_id[stream]
            alarm, _ = raised(connection, Found(rule, known, at, 20.0, 15.0, rule.message), at)
            if answered is not None and answered < MOMENT + HOUR:
                raised_alarm = alarm_by(connection, alarm)
                assert raised_alarm is not None
                if number % 2:
                    changes = {"state": "cleared", "active": 0, "handler": "somebody"}
                    changed(connection, raised_alarm, "acknowledged", answered - 60_000, {"state": "handling"})  # fmt: skip
                    changed(connection, raised_alarm, "closed", answered, changes)
                else:
                    changes = {"state": "cleared", "active": 0, "ended": answered}
                    changed(connection, raised_alarm, "ended", answered, changes)
            else:
                answered = None
        found.alarms.append((rule.level, at, answered))


@pytest.fixture(scope="module")
def board(raw: Raw) -> Board:
    return vital_signs(raw.city, MOMENT)


def sign(board: Board, code: str) -> Sign:
    return next(one for one in board.signs if one.code == code)


def grid(points: int, step: int) -> list[int]:
    last = (MOMENT // step - 1) * step
    return [*(last - number * step for number in reversed(range(points))), MOMENT]


def test_devices_that_report_are_those_that_said_something_lately(raw: Raw, board: Board) -> None:
    def share(at: int) -> float:
        ok = 0
        for name, rows in raw.seen.items():
            newest = max((time for time, _ in rows if time < at), default=None)
            patience = 1000 * max(3 * raw.every[name], 30)
            ok += newest is not None and at - newest <= patience
        return round(100 * ok / len(raw.seen), 1)

    found = sign(board, "devices-online")
    assert found.value == share(MOMENT)
    assert [list(one) for one in found.trend] == [[at, share(at)] for at in grid(24, HOUR)]
    assert len({value for _, value in found.trend}) > 3
    assert found.state == "alarm"
    assert found.change == pytest.approx(share(MOMENT) - share(grid(24, HOUR)[-2]), abs=0.05)
    assert "Street lamp: " in found.explanation["en"]
    assert found.explanation["zh"].startswith("近1.6小时下降")
    assert "主要来自路灯" in found.explanation["zh"]


def test_ponding_points_are_gauges_whose_newest_value_is_high(raw: Raw, board: Board) -> None:
    def points(at: int) -> tuple[int, int]:
        high = known = 0
        for name, rows in raw.seen.items():
            if name.startswith("gauge"):
                newest = max((row for row in rows if at - HOUR <= row[0] < at), default=None)
                known += newest is not None
                high += newest is not None and newest[1] >= 15
        return high, known

    found = sign(board, "ponding-points")
    assert found.value == points(MOMENT)[0]
    assert [list(one) for one in found.trend] == [
        [at, points(at)[0]] for at in grid(24, HOUR) if points(at)[1]
    ]
    assert len({value for _, value in found.trend}) > 2
    assert found.status == ("ready" if points(MOMENT)[1] == 4 else "partial")


def test_alarms_are_open_until_answered_and_in_time_by_their_level(raw: Raw, board: Board) -> None:
    def still_open(at: int) -> int:
        return sum(
            begun < at and (answered is None or answered >= at) for _, begun, answered in raw.alarms
        )

    def in_time(at: int) -> float | None:
        judged = []
        for level, begun, answered in raw.alarms:
            due = begun + MINUTES[level] * 60_000
            done = answered is not None and answered < at
            if at - 7 * DAY <= begun < at and (done or due < at):
                judged.append(done and answered is not None and answered <= due)
        return round(100 * sum(judged) / len(judged), 1) if judged else None

    found = sign(board, "alarms-open")
    assert [list(one) for one in found.trend] == [[at, still_open(at)] for at in grid(24, HOUR)]
    assert len({value for _, value in found.trend}) > 1
    found = sign(board, "alarms-in-time")
    assert [list(one) for one in found.trend] == [[at, in_time(at)] for at in grid(24, HOUR)]
    assert 0 < (found.value or 0) < 100


def test_speed_and_congestion_are_those_of_all_vehicles_together(raw: Raw, board: Board) -> None:
    end = MOMENT - MOMENT % 300_000
    states = road_states(raw.city, None, end - 900_000, end, 900, "link", None, Progress())
    moving_at, index = sign(board, "road-speed"), sign(board, "congestion-index")
    assert moving_at.value == pytest.approx(3.6 * float(states.total.speeds[0]), abs=0.06)
    # Those that drive 12 m/s need half as long as those that drive 6, the same way.
    assert moving_at.value == pytest.approx(3.6 * 8, rel=0.03)
    assert index.value == pytest.approx(float(states.definition.indices(states.total)[0]), abs=0.06)
    assert moving_at.layers == ("streets",)
    assert [at for at, _ in moving_at.trend] == [T0 + minutes * 60_000 for minutes in (37,)]
    assert moving_at.change is None
    assert moving_at.explanation["en"] == "Nothing to compare with."


def test_of_many_vehicles_some_are_followed_the_same_each_time(raw: Raw) -> None:
    asked = Asked(raw.city, MOMENT)
    whole, few = (speed(asked, MOMENT, minutes=15, most=most) for most in (12, 2))
    total = [sum(part.denominator for part in found.parts.values()) for found in (whole, few)]
    assert 0 < total[1] < total[0]
    assert 3.6 * 6 * 0.97 < few.value < 3.6 * 12 * 1.03
    assert speed(Asked(raw.city, MOMENT + DAY), MOMENT, minutes=15, most=2).value == few.value
    assert (whole.status, whole.reason, few.status) == ("ready", None, "partial")
    # One a minute begins, and what drives in the ten seconds after the five minutes is looked at, too.
    assert few.reason == {
        "en": "Of a sample: 2 of up to 6 vehicles in five minutes.",
        "zh": "抽样统计：每 5 分钟至多 6 辆车中取 2 辆。",
    }  # fmt: skip


def test_indicators_are_those_of_the_check_up_and_have_no_history(raw: Raw, board: Board) -> None:
    mains = sign(vital_signs(raw.city), "monitored-mains")
    assert (mains.value, mains.status, mains.trend, mains.state) == (30.0, "ready", (), "attention")
    assert sign(board, "monitored-mains").explanation == reason_text("only-now")
    assert sign(vital_signs(raw.city, 4 * 10**12), "monitored-mains").value is None


def test_renewal_is_told_by_town_as_of_any_day(raw: Raw) -> None:
    at = round(np.datetime64("2025-03-20T04:00", "ms").astype(int))
    found = sign(vital_signs(raw.city, at), "renewal-progress")

    def mean(day: date) -> float:
        stood = campaign(
            raw.city.renewal.ledger(), day, rules=city_lights(raw.city.folder)
        ).projects
        shares = [one.share_actual for one in stood if one.share_actual is not None]
        return round(100 * sum(shares) / len(shares), 1)

    assert found.value == mean(date(2025, 3, 20))
    assert found.trend[-2][1] == mean(date(2025, 3, 19))
    week = next(value for time, value in found.trend if time == at - 7 * DAY)
    assert week == mean(date(2025, 3, 13)) < (found.value or 0)
    assert sign(vital_signs(raw.city, at), "orders-overdue").value == 1
    # Who is shown one town of two is told that it is one.
    towns = {
        one.town
        for one in campaign(
            raw.city.renewal.ledger(), date(2025, 3, 20), rules=city_lights(raw.city.folder)
        ).projects
    }
    for town in towns:
        some = raw.city.seen_by(Sight(people=False, towns=frozenset({town})), None)
        part = sign(vital_signs(some, at), "renewal-progress")
        assert part.status == "partial" if part.value is not None else part.status == "unavailable"
        assert part.value is None or "towns that you are shown" in (part.reason_text or {})["en"]
    assert found.status == "ready" and len(towns) == 2


def test_a_city_that_feels_nothing_says_why(city: City) -> None:
    found = {one.code: one for one in vital_signs(city, MOMENT).signs}
    assert list(found) == list(shipped_signs())
    assert {one.value for one in found.values()} == {None}
    assert {one.state for one in found.values()} == {"unknown"}
    for one in found.values():
        assert one.reason_text is not None
        assert one.reason_text["en"].endswith(".")
        assert one.reason_text["zh"].endswith("。")
        assert one.explanation == one.reason_text
    assert found["devices-online"].reason_text == {
        "en": "The city has no things that observe.", "zh": "本城市没有接入监测设备。",
    }  # fmt: skip
    add_thing(city.live, "mute", ["ponding"], kind="water", every=60.0)
    later = {one.code: one for one in vital_signs(city, MOMENT + 60_000).signs}
    assert "Nothing was observed" in later["ponding-points"].reason_text["en"]  # type: ignore[index]
    assert later["devices-online"].value is None
    assert later["alarms-open"].value == 0


def test_a_minute_is_answered_once_and_what_nobody_sees_is_not_counted(
    raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = vital_signs(raw.city, MOMENT + 1_000)
    assert first.at == MOMENT
    monkeypatch.setattr(board_module, "FORMULAS", {})  # what is kept asks none of them
    assert vital_signs(raw.city, MOMENT + 59_999) is first
    monkeypatch.undo()
    blind = raw.city.seen_by(Sight({"land": SeenPart()}, people=False), None)
    seen = {one.code: one for one in vital_signs(blind, MOMENT).signs}
    assert seen["devices-online"].value is None
    assert seen["road-speed"].value is None
    assert seen["renewal-progress"].value is None


def test_what_comes_later_counts_from_the_next_minute(city: City) -> None:
    [stream] = add_thing(city.live, "gauge", ["ponding"], kind="water", every=60.0)
    say(city, stream, MOMENT - 1_000, 3.0)
    assert sign(vital_signs(city, MOMENT), "ponding-points").value == 0
    say(city, stream, MOMENT + 1_000, 30.0)
    assert sign(vital_signs(city, MOMENT), "ponding-points").value == 0
    found = sign(vital_signs(city, MOMENT + 60_000), "ponding-points")
    assert (found.value, found.state) == (1, "attention")


@pytest.mark.parametrize("at", [0, 7_258_118_399_999])
def test_before_and_after_all_time_little_is_known(raw: Raw, at: int) -> None:
    found = {one.code: one for one in vital_signs(raw.city, at).signs}
    assert found["devices-online"].value == (None if at == 0 else 0)
    assert found["ponding-points"].value is None
    assert found["road-speed"].value is None


def test_every_sign_names_a_formula_and_says_both_languages() -> None:
    for code, one in shipped_signs().items():
        assert one.formula.name in FORMULAS, code
        for text in (one.name, one.method):
            assert text.en
            assert text.zh
        assert one.source
    assert set(FORMULAS) == {one.formula.name for one in shipped_signs().values()}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('without = ["nothing"]', "there is no vital sign 'nothing'; there are devices-online"),
        ("[sign.devices-online]\nattention = 90\nalarm = 95\nsource = 'x'", "alarm 95 has to be worse"),
        ("[sign.devices-online]\nattention = 90", "sign.devices-online.alarm: Field required"),
        ("[sign", "cannot be read"),
    ],
)  # fmt: skip
def test_what_a_city_says_wrongly_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "vital-signs.toml").write_text(text, "utf-8")
    with pytest.raises(InvalidInput, match=words) as said:
        city_signs(tmp_path)
    assert "vital-signs.toml" in str(said.value)


def test_a_city_sets_its_own_thresholds(raw: Raw, board: Board) -> None:
    path = raw.city.folder / "vital-signs.toml"
    path.write_text(
        'without = ["road-speed"]\n[sign.devices-online]\nattention = 10\nalarm = 5\nsource = "x"\n'
    )
    own = vital_signs(raw.city, MOMENT)
    path.unlink()
    assert "road-speed" not in [one.code for one in own.signs]
    assert sign(own, "devices-online").state == "normal"
    assert sign(own, "devices-online").value == sign(board, "devices-online").value
    assert sign(own, "devices-online").definition.source == "x"


def test_signs_are_an_analysis_with_a_receipt(raw: Raw, board: Board) -> None:
    at = np.datetime64(MOMENT, "ms").astype(str) + "Z"
    done = execute(raw.city, "vital-signs", {"at": at}, Progress())
    tables = json.loads(json.dumps(done.document))
    assert [row[0] for row in tables["signs"]["rows"]] == list(shipped_signs())
    values = {row[0]: row[3] for row in tables["signs"]["rows"]}
    assert values == {one.code: one.value for one in board.signs}
    assert len(tables["trend"]["rows"]) == sum(len(one.trend) for one in board.signs)
    assert "streets" in {version.layer for version in done.versions}
    served = json.loads(json.dumps([one.as_dict() for one in board.signs]))
    assert set(served[0]) == {
        "code", "name", "unit", "decimals", "value", "status", "reason_text", "state", "thresholds",
        "trend", "change", "explanation", "method", "source", "confidence",
    }  # fmt: skip
    assert served[0]["thresholds"] == {"attention": 95.0, "alarm": 85.0, "direction": "higher"}
