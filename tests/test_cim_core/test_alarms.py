"""What people see of alarms, and how they answer them."""

import time

import pytest
import shapely

from cim_core.errors import Conflict, Forbidden, InvalidInput, NotFound
from cim_core.sight import Part, Sight
from cim_core.store.live import Live
from cim_core.store.live_alarms import Asked
from tests.support.alarming import Keeper, add_thing, moment, rule_text, told

RULES = [
    rule_text("mild", kind="threshold", property="x", above=10, level=1),
    rule_text("bad", kind="threshold", property="y", above=10, level=3),
    rule_text("worse", kind="threshold", property="y", above=20, level=4, alarm="bad"),
]


@pytest.fixture
def keeper(tmp_path):
    live = Live(tmp_path)
    add_thing(live, "here", ("x", "y"), layer="wells")
    add_thing(live, "there", ("x",), layer="secret", at=(113.6, 23.2))
    add_thing(live, "nowhere", ("x",), layer="wells", at=None)
    return Keeper(tmp_path, *RULES)


def anybody(_alarm) -> None:
    return None


def ids(alarms) -> list[int]:
    return [alarm.id for alarm in alarms]


def raised(keeper, *streams) -> list[int]:
    return [change.alarm.id for change in keeper.give([(s, 0, 11.0) for s in streams])]


def test_from_raised_to_cleared(keeper):
    [number] = raised(keeper, 2)
    alarms = keeper.live.alarms
    change = alarms.acknowledge(number, "Li", 1, "on my way", may=anybody)
    assert (change.what, change.alarm.state, change.alarm.handler) == (
        "acknowledged",
        "handling",
        "Li",
    )
    assert alarms.close(number, "Wang", 2, "valve shut", may=anybody).alarm.state == "done"
    assert alarms.find(Asked()) == []
    assert ids(alarms.find(Asked("closed"))) == [number]
    assert keeper.give([(2, 1, 12.0)]) == []  # it still holds, and nobody is told again
    assert told(keeper.give([(2, 2, 1.0)])) == [("ended", "bad", 3, "cleared")]
    assert [(event.who, event.what, event.note) for event in alarms.events(number)] == [
        (None, "raised", "11 u"), ("Li", "acknowledged", "on my way"),
        ("Wang", "closed", "valve shut"), (None, "ended", ""),
    ]  # fmt: skip


def test_a_worse_level_opens_what_was_closed_while_it_held(keeper):
    [number] = raised(keeper, 2)
    keeper.live.alarms.close(number, "Wang", 1, "enough", may=anybody)
    assert told(keeper.give([(2, 1, 21.0)])) == [("escalated", "worse", 4, "raised")]
    assert ids(keeper.live.alarms.find(Asked())) == [number]


def test_from_level_three_on_what_is_over_waits_for_somebody(keeper):
    mild, bad = raised(keeper, 1, 2)
    keeper.give([(1, 1, 0.0), (2, 1, 0.0)])
    alarms = keeper.live.alarms
    assert alarms.get(mild).state == "cleared"
    assert (alarms.get(bad).state, alarms.get(bad).active, alarms.get(bad).ended) == (
        "raised",
        False,
        moment(1),
    )
    change = alarms.acknowledge(bad, "Li", alarms.get(bad).version, may=anybody)
    assert change.alarm.state == "cleared"


def test_who_is_slower_is_told(keeper):
    [number] = raised(keeper, 2)
    alarms = keeper.live.alarms
    alarms.acknowledge(number, "Li", 1, may=anybody)
    with pytest.raises(Conflict, match="it is handling, version 2"):
        alarms.close(number, "Wang", 1, "seen", may=anybody)
    with pytest.raises(Conflict, match="acknowledged already"):
        alarms.acknowledge(number, "Wang", 2, may=anybody)
    alarms.close(number, "Wang", 2, "seen", may=anybody)
    with pytest.raises(Conflict, match="closed already"):
        alarms.shelve(number, "Li", 3, round(time.time() * 1000) + 10_000, "later", may=anybody)


def test_shelving_ends_when_its_time_has_come_or_it_gets_worse(keeper):
    [number] = raised(keeper, 2)
    alarms, now = keeper.live.alarms, round(time.time() * 1000)
    until = now + 3_600_000
    for wrong in (now - 1, now + 31 * 86_400_000):
        with pytest.raises(InvalidInput, match="up to 30 days"):
            alarms.shelve(number, "Li", 1, wrong, "works", may=anybody)
    with pytest.raises(InvalidInput, match="a reason is needed"):
        alarms.shelve(number, "Li", 1, until, "  ", may=anybody)
    assert alarms.shelve(number, "Li", 1, until, "works", may=anybody).alarm.shelved_until == until
    with keeper.live.transaction() as connection:
        assert keeper.engine.tick(connection, until - 1) == []
        assert told(keeper.engine.tick(connection, until)) == [("unshelved", "bad", 3, "raised")]
    alarms.shelve(number, "Li", 3, until, "works", may=anybody)
    [change] = keeper.give([(2, 1, 21.0)])
    assert (change.what, change.alarm.shelved_until) == ("escalated", None)


def test_what_is_not_seen_is_not_there(keeper):
    here, there, nowhere = raised(keeper, 1, 3, 4)
    alarms = keeper.live.seen_by(Sight({"wells": Part()})).alarms
    assert ids(alarms.find(Asked())) == [nowhere, here]
    assert alarms.counts() == (2, {1: 2, 2: 0, 3: 0, 4: 0})
    assert alarms.levels().things.keys() == {1, 3}
    for ask in (alarms.get, alarms.events):
        with pytest.raises(NotFound):
            ask(there)
    with pytest.raises(NotFound):
        alarms.close(there, "Li", 1, "mine", may=anybody)
    area = shapely.box(113.4, 23.0, 113.5, 23.15)
    part = keeper.live.seen_by(Sight({"wells": Part(area=area), "secret": Part(area=area)})).alarms
    assert ids(part.find(Asked())) == [here]


def test_an_alarm_of_what_is_hidden_of_a_thing_is_not_there(keeper):
    mild, bad = raised(keeper, 1, 2)
    sight = Sight({"wells": Part(("y",))})
    alarms = keeper.live.seen_by(sight).alarms
    assert ids(alarms.find(Asked())) == [mild]
    assert alarms.levels().streams == {1: 1}
    assert alarms.levels().things == {1: 1}
    with pytest.raises(NotFound):
        alarms.get(bad)
    [change] = keeper.give([(2, 1, 21.0)])
    assert change.document(sight) is None
    assert change.document(Sight({"wells": Part()})) is not None


def test_an_alarm_names_only_datastreams_that_are_seen(tmp_path):
    live = Live(tmp_path)
    for number, layer in enumerate(("wells", "wells", "secret")):
        add_thing(live, f"w{number}", layer=layer, at=(113.46 + number * 1e-4, 23.1))
    rising = rule_text("rising", kind="neighbourhood", property="x", above=10,
                       window=600, at_least=2, of=3, rings=1, resolution=8)  # fmt: skip
    keeper = Keeper(tmp_path, rising)
    changes = keeper.give([(2, 0, 11.0), (3, 1, 11.0), (1, 2, 11.0)])
    assert [change.what for change in changes] == ["raised"]
    [alarm] = keeper.live.alarms.find(Asked())
    assert 3 in alarm.datastreams
    alarms = live.seen_by(Sight({"wells": Part()})).alarms
    [seen] = alarms.find(Asked())
    assert list(seen.datastreams) == [one for one in alarm.datastreams if one != 3]
    assert 3 not in alarms.get(alarm.id).datastreams
    assert 3 not in alarms.levels().streams
    answered = alarms.acknowledge(alarm.id, "Li", alarm.version, may=anybody)
    assert 3 not in answered.alarm.datastreams


def test_all_alarms_follow_a_thing_to_another_layer_also_those_that_are_over(keeper):
    mild, bad = raised(keeper, 1, 2)
    keeper.give([(1, 1, 0.0)])
    alarms, revision = keeper.live.alarms, keeper.live.alarms.revision
    assert alarms.get(mild).state == "cleared"
    keeper.tick(2)
    assert alarms.revision == revision  # nothing has moved
    thing = keeper.live.things.get("Things", 1)
    body = {**thing.body, "properties": {**thing.properties, "layer": "secret"}}
    keeper.live.things.change("Things", 1, body)
    keeper.give([(1, 3, 0.0)])
    keeper.tick(3)
    assert [alarms.get(one).thing.layer for one in (mild, bad)] == ["secret", "secret"]
    assert alarms.revision > revision
    assert keeper.live.seen_by(Sight({"wells": Part()})).alarms.find(Asked("all")) == []
    keeper.live.things.change("Things", 1, thing.body)
    keeper.restarted().tick(4)  # nobody was there when it moved
    assert [alarms.get(one).thing.layer for one in (mild, bad)] == ["wells", "wells"]


def test_who_may_not_answer_changes_nothing(keeper):
    [number] = raised(keeper, 2)

    def nobody(_alarm) -> None:
        raise Forbidden("no")

    with pytest.raises(Forbidden):
        keeper.live.alarms.acknowledge(number, "Li", 1, may=nobody)
    assert keeper.live.alarms.get(number).version == 1


def test_names_of_people_are_told_only_to_those_who_may_know_them(keeper):
    [number] = raised(keeper, 2)
    change = keeper.live.alarms.acknowledge(number, "Li", 1, may=anybody)
    assert change.document(Sight())["handler"] == "Li"
    assert change.document(Sight(people=False))["handler"] is None
    assert change.document(Sight({})) is None
    [_, event] = keeper.live.alarms.events(number)
    assert (event.document(Sight(people=False))["who"], event.document(Sight())["who"]) == (
        None,
        "Li",
    )


def test_alarms_are_found_by_what_they_are_and_page_by_page(keeper):
    numbers = raised(keeper, 1, 2, 3, 4)
    find = keeper.live.alarms.find
    assert ids(find(Asked(level=3))) == [numbers[1]]
    assert ids(find(Asked(layer="secret"))) == [numbers[2]]
    assert ids(find(Asked(thing=1))) == [numbers[1], numbers[0]]
    assert ids(find(Asked(rule="mild"))) == [numbers[3], numbers[2], numbers[0]]
    assert find(Asked(since=moment(1))) == []
    first = find(Asked(limit=3))
    assert ids(first) == numbers[:0:-1]
    assert ids(find(Asked(limit=3, after=first[-1].id))) == numbers[:1]
