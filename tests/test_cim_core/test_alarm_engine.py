import itertools
import math
import random
import sqlite3
import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cim_core.alarms.paces import Paces
from cim_core.store.live import Live
from cim_core.store.live_alarms import Asked
from tests.support.alarming import Keeper, add_thing, moment, observed, rule_text, told

OFF = "[silent]\noff = true"
HIGH = rule_text("high", kind="threshold", property="x", above=10, clear=8)


def one_thing(tmp_path, *rules, **more):
    [stream] = add_thing(Live(tmp_path), "one", **more)
    return Keeper(tmp_path, *rules), stream


def test_an_alarm_is_raised_at_its_limit_and_ends_only_below_where_it_clears(tmp_path):
    keeper, s = one_thing(tmp_path, HIGH)
    assert keeper.give([(s, 0, 9.99)]) == []
    [change] = keeper.give([(s, 10, 10.0)])
    assert told([change]) == [("raised", "high", 1, "raised")]
    assert (change.alarm.raised, change.alarm.value, change.alarm.threshold) == (moment(10), 10, 10)
    assert change.alarm.message["en"] == "one 10 u 10"
    assert keeper.give([(s, 20, 12.0), (s, 30, 9.0), (s, 40, 11.0), (s, 50, 8.0)]) == []
    assert told(keeper.give([(s, 60, 7.99)])) == [("ended", "high", 1, "cleared")]
    assert told(keeper.give([(s, 70, 10.0)])) == [("raised", "high", 1, "raised")]


def test_below_holds_below_the_limit_and_not_at_it(tmp_path):
    low = rule_text("low", kind="threshold", property="x", below=19.5, clear=20)
    keeper, s = one_thing(tmp_path, low)
    assert keeper.give([(s, 0, 19.5)]) == []
    assert told(keeper.give([(s, 1, 19.4)])) == [("raised", "low", 1, "raised")]
    assert keeper.give([(s, 2, 19.9)]) == []
    assert told(keeper.give([(s, 3, 20.0)])) == [("ended", "low", 1, "cleared")]


def test_a_spike_shorter_than_the_duration_raises_nothing(tmp_path):
    slow = rule_text("slow", kind="threshold", property="x", above=10, **{"for": 60})
    keeper, s = one_thing(tmp_path, slow)
    assert keeper.give([(s, 0, 11), (s, 30, 11), (s, 59, 9), (s, 60, 11)]) == []
    assert keeper.give([(s, 119.9, 11)]) == []
    [change] = keeper.give([(s, 120, 11)])
    assert change.alarm.raised == moment(120)


def test_no_duration_is_proved_by_a_gap(tmp_path):
    slow = rule_text("slow", kind="threshold", property="x", above=10, **{"for": 60})
    keeper, s = one_thing(tmp_path, slow, OFF, every=10)
    assert keeper.give([(s, 0, 11)]) == []
    for now in (60, 600, 6000):
        assert keeper.tick(now) == []
    assert keeper.give([(s, 6000, 11)]) == []  # what was between is not known: it begins anew
    assert keeper.give([(s, 6030, 11), (s, 6059, 11)]) == []
    assert told(keeper.give([(s, 6060, 11)])) == [("raised", "slow", 1, "raised")]


@pytest.mark.parametrize(("held", "gap"), [(60, 900), (3600, 3600)])
def test_no_duration_is_proved_by_a_gap_where_no_interval_is_known(tmp_path, held, gap):
    slow = rule_text("slow", kind="threshold", property="x", above=10, **{"for": held})
    keeper, s = one_thing(tmp_path, slow)
    assert keeper.give([(s, 0, 11)]) == []
    assert keeper.give([(s, 86_400, 11)]) == []  # a day later it begins anew
    assert keeper.give([(s, 86_400 + gap + 1, 11)]) == []
    assert told(keeper.give([(s, 86_400 + 2 * gap + 1, 11)])) == [("raised", "slow", 1, "raised")]


def test_a_rate_is_the_change_against_a_window_ago(tmp_path):
    fast = rule_text("fast", kind="rate", property="x", above=6, clear=3, per=3600, window=600)
    keeper, s = one_thing(tmp_path, fast)
    assert keeper.give([(s, 0, 0.0), (s, 300, 5.0)]) == []  # no window has passed yet
    assert keeper.give([(s, 600, 0.9)]) == []  # 5.4 an hour
    [change] = keeper.give([(s, 900, 6.0)])  # 1.0 in 600 s
    assert (change.what, change.alarm.value, change.alarm.unit) == ("raised", 6.0, "u/h")
    assert told(keeper.give([(s, 1200, 1.3)])) == [("ended", "fast", 1, "cleared")]


def test_nothing_is_known_of_a_rate_over_a_gap(tmp_path):
    fast = rule_text("fast", kind="rate", property="x", above=6, per=3600, window=600)
    keeper, s = one_thing(tmp_path, fast)
    assert keeper.give([(s, 0, 0.0)]) == []
    assert keeper.give([(s, 1300, 1000.0), (s, 1500, 2000.0)]) == []
    assert told(keeper.give([(s, 1900, 2001.0)])) == [("raised", "fast", 1, "raised")]


def test_silence_is_known_after_so_many_intervals_and_over_with_the_next_row(tmp_path):
    silent = rule_text("quiet", kind="silence", **{"class": "box"}, intervals=5)
    keeper, s = one_thing(tmp_path, silent, OFF, every=60)
    add_thing(keeper.live, "never heard of", every=60)
    add_thing(keeper.live, "reports when it likes")
    assert keeper.tick(0) == []
    assert keeper.give([(s, 10, 1.0)]) == []
    assert keeper.tick(309.9) == []
    [change] = keeper.tick(310)
    assert told([change]) == [("raised", "quiet", 1, "raised")]
    assert (change.alarm.value, change.alarm.threshold, change.alarm.unit) == (5, 5, "min")
    assert keeper.tick(400) == []
    assert keeper.give([(s, 30, 1.0)], now=401) == []  # from long ago: it is as silent as before
    assert told(keeper.give([(s, 400, 1.0)], now=402)) == [("ended", "quiet", 1, "cleared")]


def test_the_time_when_nobody_listened_is_no_silence(tmp_path):
    keeper, s = one_thing(tmp_path, every=60)
    keeper.tick(0)
    keeper.give([(s, 1, 1.0)])
    later = keeper.restarted()
    assert later.tick(100_000) == []
    assert later.tick(100_359) == []
    assert told(later.tick(100_360)) == [("raised", "silent", 1, "raised")]


def wells(tmp_path, *rules):
    live = Live(tmp_path)
    found = [add_thing(live, f"w{n}", at=(113.46 + n * 0.0005, 23.1))[0] for n in range(7)]
    far = add_thing(live, "far", at=(113.60, 23.1))[0]
    return Keeper(tmp_path, *rules), found, far


RISING = rule_text(
    "rising", kind="neighbourhood", property="x", above=0.5, clear=0.1, per=3600, window=600,
    at_least=3, of=5, rings=1, resolution=9, level=3,
)  # fmt: skip


def test_three_of_five_wells_that_rise_are_one_alarm(tmp_path):
    keeper, w, far = wells(tmp_path, RISING)
    rows = [(s, t, 1.0) for s in (*w, far) for t in (0, 300)]
    assert keeper.give(rows) == []
    assert (
        keeper.give([(s, 700, 1.2) for s in (w[0], w[1], w[6], far)]) == []
    )  # w6 is not among five
    [change] = keeper.give([(w[2], 710, 1.2)])
    assert told([change]) == [("raised", "rising", 3, "raised")]
    assert (change.alarm.value, change.alarm.threshold) == (3, 3)
    assert set(change.alarm.datastreams) == {w[0], w[1], w[2]}
    assert keeper.give([(w[3], 720, 1.3), (w[4], 730, 1.3)]) == []  # of the same event
    assert keeper.live.alarms.counts()[0] == 1
    ends = keeper.give([(s, 1400, 1.2) for s in w])
    assert told(ends) == [("ended", "rising", 3, "raised")]  # nobody has acknowledged it


def test_what_neighbours_did_too_long_ago_does_not_count(tmp_path):
    over = rule_text(
        "over", kind="neighbourhood", property="x", above=10, window=600, at_least=3, of=5, rings=1,
        resolution=9,
    )  # fmt: skip
    keeper, w, _ = wells(tmp_path, over)
    assert keeper.give([(w[0], 0, 11), (w[1], 300, 11)]) == []
    assert keeper.give([(w[2], 601, 11)]) == []
    assert told(keeper.give([(w[0], 700, 11)])) == [("raised", "over", 1, "raised")]


STEPS = [
    rule_text(f"step-{level}", alarm="steps", kind="threshold", property="x", above=10 * level,
              clear=10 * level - 2, level=level)
    for level in (1, 2, 3, 4)
]  # fmt: skip


def test_a_worse_rule_escalates_the_alarm_there_is(tmp_path):
    keeper, s = one_thing(tmp_path, *STEPS)
    assert told(keeper.give([(s, 0, 12)])) == [("raised", "step-1", 1, "raised")]
    alarm = keeper.live.alarms.find(Asked())[0]
    keeper.live.alarms.acknowledge(alarm.id, "Li", alarm.version, may=anybody)
    [change] = keeper.give([(s, 1, 31)])  # by two levels at once: it is told once
    assert told([change]) == [("escalated", "step-3", 3, "raised")]
    assert change.alarm.id == alarm.id
    assert keeper.give([(s, 2, 12)]) == []  # still over the first step: how bad it was stays
    assert told(keeper.give([(s, 3, 1)])) == [("ended", "step-3", 3, "raised")]
    assert told(keeper.give([(s, 4, 11)])) == [("again", "step-3", 3, "raised")]
    assert keeper.live.alarms.counts() == (1, {1: 0, 2: 0, 3: 1, 4: 0})


def test_late_rows_raise_nothing(tmp_path):
    keeper, s = one_thing(tmp_path, HIGH)
    keeper.give([(s, 100, 1.0)])
    assert keeper.give([(s, 99, 50.0)]) == []
    assert keeper.give([(s, 100, 50.0)]) == []
    assert keeper.restarted().give([(s, 99.5, 50.0)]) == []


def test_what_is_no_number_neither_raises_nor_ends(tmp_path):
    keeper, s = one_thing(tmp_path, HIGH)
    assert keeper.give([(s, 0, math.nan)]) == []
    keeper.give([(s, 1, 11.0)])
    assert keeper.give([(s, 2, math.nan)]) == []
    assert told(keeper.give([(s, 3, 1.0)])) == [("ended", "high", 1, "cleared")]


def test_a_kill_loses_no_alarm_and_repeats_none(tmp_path):
    slow = rule_text("slow", kind="threshold", property="x", above=10, **{"for": 60})
    keeper, s = one_thing(tmp_path, slow, *STEPS[2:], RISING)
    keeper.give([(s, 0, 33.0)])
    keeper = keeper.restarted()
    assert keeper.give([(s, 30, 34.0)]) == []
    keeper = keeper.restarted()
    assert told(keeper.give([(s, 60, 35.0)])) == [("raised", "slow", 1, "raised")]  # kept waiting
    keeper = keeper.restarted()
    assert told(keeper.give([(s, 61, 45.0)])) == [("escalated", "step-4", 4, "raised")]
    assert {a.name for a in keeper.live.alarms.find(Asked())} == {"slow", "steps"}


def test_a_failed_transaction_leaves_nothing_behind(tmp_path):
    keeper, s = one_thing(tmp_path, HIGH)
    what = observed([(s, 0, 11.0)])
    with pytest.raises(RuntimeError), keeper.live.transaction() as connection:
        keeper.live.batches.append(connection, what, moment(0))
        assert keeper.engine.observe(connection, what, moment(0))
        raise RuntimeError
    keeper.engine.forget()
    assert keeper.live.alarms.find(Asked()) == []
    assert told(keeper.keep(what, moment(1))) == [("raised", "high", 1, "raised")]


def test_rules_that_change_hold_from_the_next_moment_on(tmp_path):
    keeper, s = one_thing(tmp_path, HIGH)
    keeper.give([(s, 0, 11.0)])
    own = tmp_path / "alarms.toml"
    own.write_text("[high]\nkind = 7\n", encoding="utf-8")
    assert keeper.tick(1) == []
    assert "alarm rule high: kind cannot be 7" in keeper.engine.rules.problem
    own.write_text(rule_text("other", kind="threshold", property="x", above=50), encoding="utf-8")
    [change] = keeper.tick(2)
    assert told([change]) == [("ended", "high", 1, "cleared")]
    assert keeper.give([(s, 3, 11.0)]) == []
    assert told(keeper.give([(s, 4, 51.0)])) == [("raised", "other", 1, "raised")]


def test_a_thing_that_is_new_is_looked_at_at_once_and_one_that_is_gone_has_no_alarm(tmp_path):
    keeper, _ = one_thing(tmp_path, HIGH)
    [new] = add_thing(keeper.live, "new")
    assert told(keeper.give([(new, 0, 11.0)])) == [("raised", "high", 1, "raised")]
    keeper.live.things.remove("Datastreams", new)
    assert told(keeper.tick(1)) == [("ended", "high", 1, "cleared")]


def test_an_alarm_follows_its_thing_to_another_layer(tmp_path):
    keeper, s = one_thing(tmp_path, HIGH)
    keeper.give([(s, 0, 11.0)])
    thing = keeper.live.streams().by_id[s].thing
    entity = keeper.live.things.get("Things", thing)
    words = {**entity.body, "properties": {**entity.properties, "layer": "secret"}}
    keeper.live.things.change("Things", thing, words, entity.links)
    assert keeper.tick(1) == []
    [alarm] = keeper.live.alarms.find(Asked())
    assert (alarm.thing.layer, alarm.version) == ("secret", 1)


def test_the_file_itself_allows_one_open_alarm_of_a_name_and_thing(tmp_path):
    keeper, s = one_thing(tmp_path, HIGH)
    keeper.give([(s, 0, 11.0)])
    copied = "name, thing, layer, rule, level, state, active, raised, changed, version, body"
    with pytest.raises(sqlite3.IntegrityError), keeper.live.transaction() as connection:
        connection.execute(f"INSERT INTO alarms ({copied}) SELECT {copied} FROM alarms")


def test_a_hundred_threads_that_cross_at_once_raise_one_alarm(tmp_path):
    keeper, s = one_thing(tmp_path, HIGH)
    gate, lock, changes = threading.Barrier(100), threading.Lock(), []

    def cross(number: int) -> None:
        gate.wait()
        with lock:  # the recorder is one thread
            changes.extend(keeper.give([(s, number, 11.0 + number)]))
        keeper.live.close()

    threads = [threading.Thread(target=cross, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [change.what for change in changes] == ["raised"]
    assert keeper.live.alarms.counts()[0] == 1


def anybody(_alarm) -> None:
    return None


# --- a slow machine that knows nothing of batches, to compare with

LIMITS = {"mild": (10.0, 8.0, 0, 1), "slow": (10.0, 9.0, 60, 2), "worst": (20.0, 15.0, 30, 4)}
PACE = (0.02, 0.01, 100.0)  # above and clear in units for each second, window
EVERY = 20.0


class SlowMachine:
    """One thing, one datastream, five rules of which two raise the same alarm, row by row."""

    def __init__(self) -> None:
        self.since: dict[str, float | None] = dict.fromkeys(LIMITS)
        self.holds: dict[str, bool] = dict.fromkeys([*LIMITS, "pace"], False)
        self.last = -math.inf
        self.seen: list[tuple[float, float]] = []
        self.kept: list[tuple[float, float]] = []
        self.open: dict[str, tuple[int, bool]] = {}
        self.log: list[tuple[str, str, int]] = []

    def row(self, t: float, value: float) -> None:
        if t <= self.last:
            return
        gap = t - self.last > 3 * EVERY
        self.last = t
        for rule in ("worst", "slow", "mild", "pace"):
            if rule == "pace":
                self.pace(t, value)
                continue
            above, clear, hold, level = LIMITS[rule]
            if self.holds[rule]:
                if value < clear:
                    self.end(rule)
                continue
            if value < above:
                self.since[rule] = None
                continue
            if self.since[rule] is None or gap:
                self.since[rule] = t
            if t - self.since[rule] >= hold:
                self.begin(rule, level)

    def pace(self, t: float, value: float) -> None:
        above, clear, window = PACE

        def part(time: float) -> int:
            return moment(time) // round(1000 * window / 8)

        before = [kept for kept in self.kept if kept[0] <= t - window]
        if not self.kept or part(t) != part(self.kept[-1][0]):
            self.kept.append((t, value))
        if not before or before[-1][0] < t - 2 * window:
            return
        then, was = before[-1]
        rate = (value - was) * 1000.0 / (1000.0 * (t - then))
        if self.holds["pace"] and rate < clear:
            self.end("pace")
        elif not self.holds["pace"] and rate >= above:
            self.begin("pace", 1)

    def begin(self, rule: str, level: int) -> None:
        self.holds[rule], self.since[rule] = True, None
        name = "steps" if rule in ("slow", "worst") else rule
        if name not in self.open:
            self.open[name] = (level, True)
            self.log.append(("raised", name, level))
            return
        before, active = self.open[name]
        self.open[name] = (max(level, before), True)
        if level > before:
            self.log.append(("escalated", name, level))
        elif not active:
            self.log.append(("again", name, before))

    def end(self, rule: str) -> None:
        self.holds[rule] = False
        name = "steps" if rule in ("slow", "worst") else rule
        if name == "steps" and (self.holds["slow"] or self.holds["worst"]):
            return
        level = self.open[name][0]
        self.log.append(("ended", name, level))
        if level >= 3:
            self.open[name] = (level, False)
        else:
            del self.open[name]


MODEL_RULES = [
    *(
        rule_text(name, kind="threshold", property="x", above=above, clear=clear, level=level,
                  alarm="steps" if name in ("slow", "worst") else name, **{"for": hold})
        for name, (above, clear, hold, level) in LIMITS.items()
    ),
    rule_text("pace", kind="rate", property="x", above=PACE[0], clear=PACE[1], per=1, window=PACE[2]),
    OFF,
]  # fmt: skip


@settings(
    max_examples=25, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    steps=st.lists(
        st.tuples(st.sampled_from([1, 5, 10, 10, 20, 30, 100, 300]),
                  st.sampled_from([0.0, 7.0, 8.5, 9.5, 10.0, 11.0, 14.0, 16.0, 20.0, 25.0]),
                  st.integers(0, 2)),
        min_size=1, max_size=50,
    ),
    seed=st.integers(0, 10_000),
)  # fmt: skip
def test_the_same_alarms_as_a_slow_machine_however_rows_are_cut_and_whenever_it_is_killed(
    tmp_path_factory, steps, seed
):
    folder = tmp_path_factory.mktemp("city")
    chance = random.Random(seed)
    live = Live(folder)
    streams = [add_thing(live, f"thing {n}", every=EVERY)[0] for n in range(3)]
    keeper = Keeper(folder, *MODEL_RULES)
    slow = {stream: SlowMachine() for stream in streams}
    rows, at = [], 0.0
    for step, value, which in steps:
        at += step
        rows.append((streams[which], at, value))
        slow[streams[which]].row(at, value)
    found = {stream: [] for stream in streams}
    things = {live.streams().by_id[stream].thing: stream for stream in streams}
    begin = 0
    while begin < len(rows):
        end = begin + chance.randint(1, 20)
        for change in keeper.give(rows[begin:end]):
            found[things[change.alarm.thing.id]].append(
                (change.what, change.alarm.name, change.alarm.level)
            )
        begin = end
        if chance.random() < 0.3 and begin < len(
            rows
        ):  # what came before comes once more, and late
            again = [
                (s, t - chance.choice([0, 0.5]), 30.0)
                for s, t, _ in rows[max(0, begin - 5) : begin]
            ]
            assert keeper.give([row for row in again if late(row, rows[:begin])]) == []
        if chance.random() < 0.2:
            keeper.tick(at)
            keeper = keeper.restarted()
    assert found == {stream: machine.log for stream, machine in slow.items()}


def late(row, before) -> bool:
    return any(s == row[0] and t >= row[1] for s, t, _ in before)


def test_rates_are_the_same_in_whatever_portions_they_are_asked_for():
    chance = np.random.default_rng(7)
    numbers = chance.integers(0, 4, 400)
    times = np.cumsum(chance.integers(1, 30_000, 400))
    values = chance.normal(size=400)
    whole = Paces(np.full(4, 600_000)).changes(numbers, times, values)
    pieces = Paces(np.full(4, 600_000))
    cut = [0, 1, 7, 8, 200, 201, 400]
    parts = [
        pieces.changes(numbers[a:b], times[a:b], values[a:b]) for a, b in itertools.pairwise(cut)
    ]
    for which in (0, 1):
        np.testing.assert_array_equal(whole[which], np.concatenate([part[which] for part in parts]))
    assert np.isfinite(whole[0]).sum() > 300


def test_a_real_series_raises_what_pandas_finds_and_nothing_over_its_gaps(tmp_path, data):
    import pandas

    table = pandas.read_csv(data / "iot" / "speed_6005.csv", parse_dates=["timestamp"])
    table = table.drop_duplicates("timestamp").sort_values("timestamp")
    seconds = (table.timestamp - table.timestamp.iloc[0]).dt.total_seconds()
    assert seconds.diff().max() > 3 * 86_400
    jam = rule_text("jam", kind="threshold", property="x", below=60, clear=70)
    long = rule_text("long", kind="threshold", property="x", below=75, **{"for": 7200})
    keeper, s = one_thing(tmp_path, jam, long, OFF, every=300)
    rows = list(zip([s] * len(table), seconds, table.value.astype(float), strict=True))
    found = [change for n in range(0, len(rows), 97) for change in keeper.give(rows[n : n + 97])]
    low = table.value.where((table.value < 60) | (table.value >= 70)).ffill() < 60
    edges = low.astype(int).diff().fillna(low.astype(int))
    expected = [("raised" if edge > 0 else "ended", moment(at)) for at, edge in zip(seconds, edges, strict=True) if edge]  # fmt: skip
    jams = [change for change in found if change.alarm.rule == "jam"]
    assert [(c.what, c.alarm.ended or c.alarm.raised) for c in jams] == expected
    assert len(expected) > 20
    begin, end = (pandas.Timestamp(day) - table.timestamp.iloc[0] for day in ("2015-09-16 18:40", "2015-09-17 16:24"))  # fmt: skip
    labelled = (moment(begin.total_seconds()), moment(end.total_seconds()))
    assert any(labelled[0] <= c.alarm.raised <= labelled[1] for c in jams if c.what == "raised")
    # No duration holds over a gap: within the two hours before each there is no pause of 15 minutes.
    for change in found:
        if change.alarm.rule == "long" and change.what == "raised":
            at = (change.alarm.raised - moment(0)) / 1000
            before = seconds[(seconds <= at) & (seconds >= at - 7200)]
            assert before.diff().max() <= 900
            assert (table.value[before.index] < 75).all()


@settings(
    max_examples=3, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(seed=st.integers(0, 10_000))
def test_neighbourhoods_are_the_same_row_by_row_in_batches_and_after_kills(tmp_path_factory, seed):
    over = rule_text(
        "over", kind="neighbourhood", property="x", above=10, clear=8, window=120, at_least=3, of=4,
        rings=1, resolution=9, level=4,
    )  # fmt: skip
    chance = random.Random(seed)
    rows = [
        (1 + chance.randrange(7), 10.0 * n, chance.choice([0.0, 9.0, 11.0, 11.0]))
        for n in range(90)
    ]

    def log(name: str, cut, killed: float) -> list:
        keeper, wells_there, _ = wells(tmp_path_factory.mktemp(name), over, RISING)
        assert wells_there == list(range(1, 8))
        found, begin = [], 0
        while begin < len(rows):
            end = begin + cut()
            changes = keeper.give(rows[begin:end])
            found += [(c.what, c.alarm.rule, c.alarm.thing.name, c.alarm.raised, c.alarm.ended) for c in changes]  # fmt: skip
            begin = end
            if chance.random() < killed:
                keeper = keeper.restarted()
        return found

    one_by_one = log("one", lambda: 1, 0.0)
    assert one_by_one
    assert log("many", lambda: chance.randint(1, 40), 0.3) == one_by_one


def test_a_batch_that_crosses_nothing_asks_the_file_nothing(tmp_path):
    keeper, s = one_thing(tmp_path, HIGH, *STEPS, RISING, OFF, every=60)
    asked = []
    with keeper.live.transaction() as connection:
        connection.set_trace_callback(asked.append)
        for n in range(50):
            assert keeper.engine.observe(connection, observed([(s, n, 1.0)]), moment(n)) == []
        connection.set_trace_callback(None)
    assert asked == []
