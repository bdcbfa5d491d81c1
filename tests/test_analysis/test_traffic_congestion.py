"""Congestion is told from sums, as the standard's bands have it, and its parts come to the whole."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.congestion_question import Congestion
from analysis.traffic.congestion import road_states
from analysis.traffic.congestion_index import (
    ROAD_CLASSES,
    defined,
    definition_named,
    definitions,
    ratios,
)
from analysis.traffic.congestion_sums import Sums, pieces, summed
from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.progress import Progress
from cim_core.sight import Part, Sight
from cim_core.traffic.moving import Positions, between
from tests.support.traffic import publish_roads
from tests.support.traffic_scenes import SPEED, T0, driven, roads, scene_map, together

EVERY = np.arange(0.0, 60.0, 0.5)


def of_dtp(*shares: float) -> list[float]:
    """The index at shares of delay."""
    free = 1 - np.array(shares)
    measured = ratios(np.ones(len(shares)), np.ones(len(shares)), free)
    return definition_named(None).indices(measured).round(3).tolist()


def test_the_index_has_the_published_values_and_states() -> None:
    assert of_dtp(0.15, 0.4, 0.55, 0.65, 0.85) == [1.0, 3.0, 5.0, 7.0, 9.0]
    assert of_dtp(*(1 - 1 / tti for tti in (1.5, 2, 2.2, 3))) == [2.333, 4.0, 4.909, 7.333]
    gb = definition_named("gbt33171")
    shares = np.array([0.0, 0.29, 0.3, 0.49, 0.5, 0.59, 0.6, 0.69, 0.7, 1.0])
    found = gb.states_of(ratios(np.ones(10), np.ones(10), 1 - shares), np.zeros(10, np.int8))
    assert found.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    # Nobody was there; nothing moved; somebody is faster than free flow.
    odd = ratios(np.array([0.0, 0.0, 9.0]), np.array([0.0, 9.0, 4.0]), np.array([0.0, 0.0, 5.0]))
    assert gb.states_of(odd, np.zeros(3, np.int8)).tolist() == [-1, 4, 0]
    assert np.isinf(odd.tti[1])
    assert gb.indices(odd)[1:].tolist() == [10.0, 0.0]


def test_other_definitions_are_data() -> None:
    assert list(definitions()) == ["gbt33171", "tpi5", "delay-index", "speed"]
    tti = np.array([1.0, 4 / 3, 20 / 11, 2.5, np.inf])
    with np.errstate(divide="ignore"):
        measured = ratios(np.ones(5), np.ones(5), 1 / tti)
    assert definition_named("tpi5").indices(measured).round(3).tolist() == [0, 1, 2, 3, 5]
    # 快速路 65/50/35/20, 主干路 40/30/20/15 km/h
    metres = np.array([66.0, 49.0, 41.0, 14.0]) / 3.6
    classes = np.array([ROAD_CLASSES.index(x) for x in ("expressway", "expressway", "arterial", "arterial")], np.int8)  # fmt: skip
    by_speed = definition_named("speed")
    states = by_speed.states_of(ratios(metres, np.ones(4), np.ones(4)), classes)
    assert [by_speed.states[row].id for row in states] == ["free", "light", "free", "severe"]
    with pytest.raises(InvalidInput, match="no congestion index 'x'; give one of gbt33171"):
        definition_named("x")
    state = {"free": {"en": "", "zh": "", "color": ""}}
    wrong = {"title": {}, "figure": "dtp", "states": ["free"], "bounds": [0.5, 0.1], "source": "", "confidence": ""}  # fmt: skip
    with pytest.raises(InvalidInput, match="'w': its bounds have to grow"):
        defined({"usual": "w", "state": state, "definition": {"w": wrong}})


rows = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 5), *[st.integers(0, 1000)] * 3), min_size=1
)


@settings(deadline=None, max_examples=40)
@given(rows, st.integers(0, 2**31))
def test_sums_of_parts_are_the_sums_of_all(table: list[tuple[int, ...]], seed: int) -> None:
    columns = np.array(table).T
    places, bins = columns[0], columns[1]
    figures = columns[2:].astype(float)
    fine = summed(places, bins, *figures)
    # Bins and places put together afterwards come to what they come to at once, in any order.
    coarse = fine.regrouped(fine.places // 2, fine.bins // 3)
    order = np.random.default_rng(seed).permutation(len(places))
    whole = summed(places[order] // 2, bins[order] // 3, *figures[:, order])
    plain: dict[tuple[int, int], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for place, bin_, *values in table:
        for n, value in enumerate(values):
            plain[place // 2, bin_ // 3][n] += value
    for found in (coarse, whole):
        told = {
            (p, b): list(v)
            for p, b, *v in zip(found.places.tolist(), found.bins.tolist(), found.metres.tolist(),
                                found.seconds.tolist(), found.free_seconds.tolist(), strict=True)
        }  # fmt: skip
        assert told == plain


@pytest.fixture(scope="module")
def traffic() -> Positions:
    """Two who drive on freely, one at a quarter of the speed, one who comes the other way, one on a bus."""
    half = SPEED / 4
    return together(
        driven("a", EVERY, lambda s: (SPEED * s, 5.25)),
        driven("b", EVERY, lambda s: (SPEED * s, 1.75), told=False),
        driven("slow", EVERY, lambda s: (500 + half * s, 1.75)),
        driven("other", EVERY, lambda s: (800 - SPEED * s / 2.2, 8.75)),
        driven("bus", EVERY, lambda s: (100.0, 5.25), kind="bus"),
        driven("foot", EVERY, lambda s: (100.0 + s, -3.0), kind="pedestrian"),
    )


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory, traffic: Positions) -> City:
    """A city in which they drove."""
    city = City.open_or_create(tmp_path_factory.mktemp("congestion") / "city")
    publish_roads(city, "roads", roads())
    for start in range(0, 60_000, 7_000):  # as it came, in batches
        part = between(traffic, T0 + start, T0 + start + 7_000)
        if len(part):
            city.traffic.append("roads", part)
    return city


def test_states_of_links_are_what_plain_reckoning_has(city: City) -> None:
    found = road_states(city, "roads", T0, T0 + 60_000, 30, "link", None, Progress())
    told = {(row["id"], row["start"] - T0): row for row in found.rows()}
    # Once a second 60/3.6 m/s: on the link with no delay but the first second of the window.
    free = told["in", 0]
    assert free["tti"] == pytest.approx(1.0, abs=0.02)
    assert (free["state"], free["vehicles"]) == ("free", 2)
    assert free["speed"] == pytest.approx(SPEED, rel=0.01)
    # Alone in the first bin from 500 m on at a quarter of the speed, and two who pass by.
    out = told["out", 30_000]
    metres = SPEED / 4 * 30 + 2 * (830 - SPEED * 30)
    seconds = 30 + 2 * (830 - SPEED * 30) / SPEED
    assert out["speed"] == pytest.approx(metres / seconds, rel=0.04)
    assert out["tti"] == pytest.approx(seconds / (metres / SPEED), rel=0.04)
    assert told["back", 0]["tti"] == pytest.approx(2.2, rel=0.02)
    assert told["back", 0]["state"] == "light"
    assert set(found.lines()) == {"roads/in", "roads/out", "roads/back"}


def test_bins_and_windows_and_corridors_are_sums_of_their_parts(city: City) -> None:
    def asked(start: int, end: int, bin_s: int, by: str, resolution: int | None = None) -> Sums:
        return road_states(city, None, T0 + start, T0 + end, bin_s, by, resolution, Progress()).sums  # type: ignore[arg-type]

    fine, whole = asked(0, 60_000, 5, "link"), asked(0, 60_000, 60, "link")
    merged = fine.regrouped(fine.places, np.zeros(len(fine), np.int64))
    assert merged.seconds == pytest.approx(whole.seconds)
    assert merged.metres == pytest.approx(whole.metres)
    # A window is the sum of its halves, wherever it is cut: also amid a second.
    for cut in (31_000, 31_300, 31_950):
        halves = [asked(0, cut, 60, "link"), asked(cut, 60_000, 60, "link")]
        assert sum(half.seconds.sum() for half in halves) == pytest.approx(whole.seconds.sum())
        assert sum(half.metres.sum() for half in halves) == pytest.approx(whole.metres.sum())
    # Cells hold all that links hold, a corridor its links.
    for resolution in (8, 10, 12):
        cells = asked(0, 60_000, 60, "h3", resolution)
        assert cells.free_seconds.sum() == pytest.approx(whole.free_seconds.sum())
    corridor = road_states(city, "roads", T0, T0 + 60_000, 60, "corridor", None, Progress())
    names = [row["id"] for row in corridor.rows()]
    links = road_states(city, "roads", T0, T0 + 60_000, 60, "link", None, Progress())
    own = [row["id"] != "back" for row in links.rows()]
    assert names == ["avenue"]
    assert corridor.sums.seconds[0] == pytest.approx(links.sums.seconds[own].sum())


def test_a_cell_tells_which_direction_is_worst(city: City) -> None:
    found = road_states(city, None, T0, T0 + 60_000, 60, "h3", 8, Progress())
    rows_ = found.rows()
    assert all(row["worst"]["dtp"] >= row["dtp"] - 1e-9 for row in rows_ if row["dtp"] is not None)
    assert found.directed is not None
    both = {found.directed.names[p][1] for p in found.directed.sums.places.tolist()}
    assert {"in", "back"} <= both  # opposite directions share cells and are told apart
    assert found.lines() == {}


def test_noise_of_who_stands_is_no_way_they_drive() -> None:
    shake = np.random.default_rng(4).normal(0, 0.7, 200)
    stood = driven("n", np.arange(0.0, 60.0), lambda s: (200 + shake[int(s) % 200], 1.75))
    found = pieces(scene_map(), stood)
    assert abs(found.metres.sum()) < 4
    assert found.seconds.sum() == pytest.approx(59)


def test_wrong_questions_are_told_what_is_wrong(city: City) -> None:
    ask = (city, "roads", T0, T0 + 60_000)
    with pytest.raises(InvalidInput, match="bin=0 is no length"):
        road_states(*ask, 0, "link", None, Progress())
    with pytest.raises(InvalidInput, match="resolution=16 is none of H3"):
        road_states(*ask, 60, "h3", 16, Progress())
    with pytest.raises(InvalidInput, match="ends before it begins"):
        road_states(city, "roads", T0, T0, 60, "link", None, Progress())
    with pytest.raises(InvalidInput, match="more than 10000 bins"):
        road_states(city, "roads", T0, T0 + 86_400_000, 1, "link", None, Progress())
    with pytest.raises(NotFound):
        road_states(city, "nothing", T0, T0 + 1, 60, "link", None, Progress())
    blind = city.seen_by(Sight({"roads": Part(heights=False)}), None)
    with pytest.raises(NotFound, match="has no road map that you see"):
        road_states(blind, "roads", T0, T0 + 60_000, 60, "link", None, Progress())
    assert not len(road_states(blind, None, T0, T0 + 60_000, 60, "link", None, Progress()).sums)


def test_the_question_answers_with_tables(city: City) -> None:
    answer = Congestion(minutes=1, by="h3", bin=60)(city, Progress())
    assert set(answer.outputs) == set(Congestion.outputs)
    [about] = answer.outputs["about"].rows
    whole = road_states(city, None, T0, T0 + 60_000, 60, "link", None, Progress()).sums
    assert about[5] == pytest.approx(whole.metres.sum() / 1000, rel=0.05)
    known = [row for row in answer.outputs["roads"].rows if row[4] is not None]
    assert len(answer.outputs["cells"].cells) == len(known) > 3
    assert [version.layer for version in answer.versions] == ["roads"]
