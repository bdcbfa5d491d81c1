"""Clearances: the rule tables as they were read, and the check against every pair of pipes."""

from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.errors import Cancelled
from cim_core.network import Labels, Network
from cim_core.networks_joined import joined
from cim_core.progress import Progress
from pipelines.clearance import Checked, too_near
from pipelines.clearance_rules import Members, clearances, sources
from pipelines.distances import solids
from pipelines.rule_kinds import kind_names, kind_title, kinds_of, pressure_class
from tests.support.streets import CORNER, pipes

ALL = ("legacy", "gb50289-2016")


def demanded(
    way: str, source: str, one: str, other: str, sizes: tuple[float, float] = (0.1, 0.1),
    kilovolts: tuple[float, float] = (np.nan, np.nan),
) -> tuple[float, float]:  # fmt: skip
    names = kind_names()
    sides = [
        Members(np.array([names.index(name)], np.int8), np.array([size]), np.array([volts]))
        for name, size, volts in zip((one, other), sizes, kilovolts, strict=True)
    ]
    found = clearances(way, source).required(*sides)
    return float(found.mild[0]), float(found.strict[0])


HORIZONTAL = {
    ("water", "water"): (1.0, 1.0),
    ("water", "drainage"): (1.0, 1.0),
    ("drainage", "drainage"): (0.5, 0.5),
    ("drainage", "gas-medium"): (1.2, 1.2),
    # The rows of the source disagree: both are kept, and the stricter is checked.
    ("water", "gas-medium"): (0.5, 1.0),
    ("water", "gas-high"): (1.0, 1.5),
    ("drainage", "gas-high"): (1.5, 2.0),
    ("heat-trench", "gas-high"): (2.0, 4.0),
    ("heat-direct", "power-direct"): (2.0, 2.0),
    ("power-trench", "telecom-conduit"): (0.5, 0.5),
    ("telecom-conduit", "heat-trench"): (1.0, 1.0),
}

VERTICAL = {
    ("water", "water"): 0.15,
    ("drainage", "water"): 0.40,
    ("gas-low", "heat-direct"): 0.15,
    ("telecom-direct", "water"): 0.50,
    ("telecom-direct", "heat-trench"): 0.15,
    ("telecom-direct", "telecom-conduit"): 0.25,
    ("telecom-conduit", "gas-medium"): 0.15,
    ("power-direct", "water"): 0.15,
    ("power-direct", "gas-high"): 0.50,
    ("power-trench", "gas-low"): 0.15,
    ("power-trench", "drainage"): 0.50,
}


@pytest.mark.parametrize(("pair", "values"), HORIZONTAL.items())
def test_horizontal_distances_are_those_of_the_source(
    pair: tuple[str, str], values: tuple[float, float]
) -> None:
    assert demanded("horizontal", "legacy", *pair) == values
    assert demanded("horizontal", "legacy", *pair[::-1]) == values


@pytest.mark.parametrize(("pair", "value"), VERTICAL.items())
def test_vertical_distances_are_those_of_the_source(pair: tuple[str, str], value: float) -> None:
    assert demanded("vertical", "legacy", *pair) == (value, value)
    assert demanded("vertical", "legacy", *pair[::-1]) == (value, value)


def test_what_is_recalled_depends_on_size_and_voltage() -> None:
    recalled = ("horizontal", "gb50289-2016")
    assert demanded(*recalled, "water", "drainage", (0.2, 0.8)) == (1.0, 1.0)
    assert demanded(*recalled, "drainage", "water", (0.8, 0.3)) == (1.5, 1.5)
    assert demanded(*recalled, "power-direct", "telecom-direct", kilovolts=(110, np.nan))[1] == 2.0
    assert np.isnan(
        demanded(*recalled, "power-direct", "telecom-direct", kilovolts=(10, np.nan))[1]
    )
    assert np.isnan(demanded(*recalled, "water", "heat-direct")[1])
    assert demanded("vertical", "gb50289-2016", "power-direct", "water") == (0.25, 0.5)


def test_gas_beside_gas_depends_on_the_larger_of_the_two() -> None:
    assert demanded("horizontal", "legacy", "gas-low", "gas-high", (0.1, 0.3))[1] == 0.4
    assert demanded("horizontal", "legacy", "gas-medium", "gas-low", (0.1, 0.4))[1] == 0.5


def test_every_source_says_where_it_is_from_and_how_sure_that_is() -> None:
    assert tuple(sources()) == ALL
    assert [known.confidence for known in sources().values()] == ["read", "recalled"]
    assert all(known.source and set(known.title) == {"en", "zh"} for known in sources().values())
    assert all(kind_title(name, "zh") for name in kind_names())


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("低压", "low"), ("5kPa", "low"), ("中压B", "medium-b"), ("0.4MPa", "medium-a"),
        ("次高压 A", "subhigh-a"), ("1.0 MPa", "subhigh-a"), ("高压", "high-b"), ("2.6MPa", "high-a"),
        ("5 MPa", "high-a"), ("6.3MPa", "high-a"), ("0.4", "medium-a"), (" 1.6 ", "subhigh-a"),
        ("12", ""), ("400", ""), ("0", ""), ("", ""), ("10kV", ""), ("?", ""),
    ],
)  # fmt: skip
def test_pressures_are_understood_in_words_and_numbers(words: str, name: str) -> None:
    assert pressure_class(words) == name


def test_kinds_follow_from_class_burial_and_pressure() -> None:
    said = [
        ("JP", "ZM", ""), ("WS", "", ""), ("TR", "直埋", "中压A"), ("TR", "", ""), ("RS", "管沟", ""),
        ("GD", "GK", "10kV"), ("DH", "GM", ""), ("DH", "JK", ""), ("QQ", "ZM", ""), ("", "", ""),
    ]  # fmt: skip
    count = len(said)
    network = pipes(
        {"a": (0, 0), "b": (9, 0)}, {str(row): ("a", "b") for row in range(count)},
        burials=Labels.of([burial for _, burial, _ in said]),
        pressures=Labels.of([pressure for *_, pressure in said]),
    )  # fmt: skip
    segments = replace(network.segments, classes=Labels.of([name for name, *_ in said]))
    kinds = kinds_of(segments)
    names = [kinds.names[of] if of >= 0 else "" for of in kinds.of.tolist()]
    assert names == [
        "water", "drainage", "gas-medium", "gas-low", "heat-trench", "power-trench",
        "telecom-conduit", "", "", "",
    ]  # fmt: skip
    assert np.flatnonzero(kinds.pressure_unknown).tolist() == [3]
    assert kinds.kilovolts[5] == 10.0


def checked(network: Network, rules: tuple[str, ...] = ("legacy",), **more: object) -> Checked:
    pieces = network.pieces()
    bodies = solids(network, pieces, pieces.flat(CORNER))
    return too_near(network, pieces.segments, bodies, rules, Progress(), **more)


def pairs(found: Checked, network: Network) -> dict[tuple[str, str, bool], float]:
    ids = network.segments.ids
    c = found.conflicts
    return {
        (str(ids[a]), str(ids[b]), bool(crossing)): float(measured)
        for a, b, crossing, measured in zip(
            c.segments, c.others, c.crossing, c.measured, strict=True
        )
    }


def test_a_water_main_beside_a_sewer_is_measured_from_surface_to_surface() -> None:
    network = joined([
        pipes({"a": (0, 0), "b": (30, 0)}, {"water": ("a", "b")}, elevations=8.5, size=0.3),
        pipes({"a": (0, 1.3), "b": (30, 1.3)}, {"sewer": ("a", "b")}, elevations=7, size=0.5, classes="WS"),
    ])  # fmt: skip
    found = checked(network, ALL)
    assert pairs(found, network) == {("water", "sewer", False): pytest.approx(0.9, abs=1e-4)}
    conflict = found.conflicts
    assert conflict.broken("legacy").tolist() == [True]
    assert conflict.required["legacy"].strict.tolist() == [1.0]
    assert conflict.required["gb50289-2016"].strict.tolist() == [1.5]
    assert conflict.apart[0] == pytest.approx(np.hypot(1.3, 1.5) - 0.4, abs=1e-4)
    assert conflict.places[0, 1] == pytest.approx((0.15 + 1.05) / 2, abs=1e-3)


def crossing(below: float, angle: float = 90.0) -> Network:
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return joined([
        pipes({"a": (-20, 0), "b": (20, 0)}, {"gas": ("a", "b")}, elevations=9, size=0.2, classes="TR"),
        pipes(
            {"a": (-20 * c, -20 * s), "m": (c, s), "b": (20 * c, 20 * s)},
            {"near": ("a", "m"), "further": ("m", "b")}, elevations=9 - below, size=0.2, classes="WS",
        ),
    ])  # fmt: skip


def test_a_crossing_is_measured_along_the_vertical() -> None:
    network = crossing(0.3)
    # The sewer's second part begins a metre beyond the crossing: the crossing decides.
    assert pairs(checked(network), network) == {("gas", "near", True): pytest.approx(0.1, abs=1e-4)}
    assert checked(network).decided == 1
    deep = crossing(0.36)
    assert pairs(checked(deep), deep) == {}


def test_a_pipe_that_ends_just_before_another_is_too_near() -> None:
    network = joined([
        pipes({"a": (-20, 0), "b": (20, 0)}, {"water": ("a", "b")}, elevations=9, size=0.2),
        pipes({"a": (0, 0.6), "b": (0, 20)}, {"service": ("a", "b")}, elevations=9, size=0.2),
    ])  # fmt: skip
    assert pairs(checked(network), network) == {
        ("water", "service", False): pytest.approx(0.5, abs=1e-4)
    }


def test_what_meets_at_a_node_is_no_conflict() -> None:
    network = pipes(
        {"a": (0, 0), "b": (20, 0), "c": (40, 1)}, {"ab": ("a", "b"), "bc": ("b", "c")},
        elevations=9.0,
    )  # fmt: skip
    assert pairs(checked(network), network) == {}


def test_a_run_of_short_pieces_is_not_too_near_to_itself_and_two_of_them_are() -> None:
    bend = {f"p{n}": (10 + 3 * np.sin(n * 0.15), 3 - 3 * np.cos(n * 0.15)) for n in range(11)}
    names = ["a", *bend, "z"]
    points = {"a": (0.0, 0.0), **bend, "z": (13.0, 20.0)}
    lines = {f"{x}-{y}": (x, y) for x, y in pairwise(names)}
    one = pipes(points, lines, elevations=9.0, size=0.1)
    found = checked(one)
    assert pairs(found, one) == {}
    assert found.one_run > 0
    strands = pipes(
        {"a": (0, 0), "b": (20, 0), "c": (20, 0.8), "d": (0, 0.8), "e": (21, 0.4)},
        {"ab": ("a", "b"), "cd": ("c", "d"), "be": ("b", "e"), "ec": ("e", "c")},
        elevations=9.0, size=0.1,
    )  # fmt: skip
    # Joined at the far end by a way of two metres, but they run beside one another for twenty.
    assert ("ab", "cd", False) in pairs(checked(strands), strands)


def test_an_area_checks_what_is_in_it_against_all_around() -> None:
    network = joined([
        pipes({"a": (0, 0), "b": (30, 0)}, {"water": ("a", "b")}, elevations=8.5),
        pipes({"a": (0, 1), "b": (30, 1)}, {"sewer": ("a", "b")}, elevations=7, classes="WS"),
        pipes({"a": (0, 50), "b": (30, 50)}, {"far": ("a", "b")}, elevations=8.5),
        pipes({"a": (0, 51), "b": (30, 51)}, {"far sewer": ("a", "b")}, elevations=7, classes="WS"),
    ])  # fmt: skip
    assert len(pairs(checked(network), network)) == 2
    for inside in ([True, False, False, False], [False, True, False, False]):
        part = checked(network, within=np.array(inside))
        [pair] = pairs(part, network)
        assert set(pair[:2]) == {"water", "sewer"}


def test_without_a_height_only_the_plan_is_checked() -> None:
    network = crossing(np.nan)
    assert pairs(checked(network), network) == {}
    beside = joined([
        pipes({"a": (0, 0), "b": (30, 0)}, {"water": ("a", "b")}, elevations=8.5),
        pipes({"a": (0, 1), "b": (30, 1)}, {"sewer": ("a", "b")}, classes="WS"),
    ])  # fmt: skip
    found = checked(beside)
    assert pairs(found, beside) == {("water", "sewer", False): pytest.approx(0.7, abs=1e-4)}
    assert np.isnan(found.conflicts.apart).all()


def outline(ends: np.ndarray, radius: float) -> shapely.Geometry:
    return shapely.LineString(ends[:, :2]).buffer(radius, cap_style="flat")


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**9))
def test_every_pair_is_found_that_is_too_near_and_no_other(seed: int) -> None:
    """Level pipes of many kinds, each with each, by shapely and by hand."""
    random = np.random.default_rng(seed)
    classes = random.choice(["JP", "WS", "TR", "RS", "GD", "DH"], 14).tolist()
    networks = []
    for number, name in enumerate(classes):
        start = random.uniform(0, 25, 2)
        angle = random.choice([0.0, 90.0, random.uniform(0, 180)])
        end = start + random.uniform(4, 20) * np.array([np.cos(angle), np.sin(angle)])
        networks.append(
            pipes(
                {"a": tuple(start), "b": tuple(end)}, {f"s{number}": ("a", "b")},
                elevations=random.uniform(7, 9), size=random.uniform(0.1, 0.8), classes=name,
            )
        )  # fmt: skip
    network = joined(networks)
    flat = network.pieces().flat(CORNER)
    radii = network.segments.widths / 2
    kinds = {"JP": "water", "WS": "drainage", "TR": "gas-low", "RS": "heat-direct", "GD": "power-direct", "DH": "telecom-direct"}  # fmt: skip
    expected, unclear = {}, set()
    for a, b in combinations(range(len(classes)), 2):
        one, other = outline(flat[a], radii[a]), outline(flat[b], radii[b])
        over = one.intersects(other)
        way = "vertical" if over else "horizontal"
        measured = (
            abs(flat[a, 0, 2] - flat[b, 0, 2]) - radii[a] - radii[b]
            if over
            else one.distance(other)
        )
        sizes = (2 * radii[a], 2 * radii[b])
        _, limit = demanded(way, "legacy", kinds[classes[a]], kinds[classes[b]], sizes)
        axes = [shapely.LineString(ends[:, :2]) for ends in (flat[a], flat[b])]
        if over and (not axes[0].crosses(axes[1]) or axes[0].boundary.distance(axes[1]) < 1
                     or axes[1].boundary.distance(axes[0]) < 1):  # fmt: skip
            # Where only the ends overlap, the highest and the lowest points need not meet.
            unclear.add((f"s{a}", f"s{b}", over))
        elif abs(measured - limit) < 1e-3:
            unclear.add((f"s{a}", f"s{b}", over))
        elif measured < limit:
            expected[f"s{a}", f"s{b}", over] = measured
    found = pairs(checked(network), network)
    clear = {pair: value for pair, value in found.items() if pair not in unclear}
    assert clear == {pair: pytest.approx(value, abs=2e-4) for pair, value in expected.items()}


def test_a_check_can_be_stopped() -> None:
    network = crossing(0.1)
    pieces = network.pieces()
    with pytest.raises(Cancelled):
        too_near(
            network, pieces.segments, solids(network, pieces, pieces.flat(CORNER)), ("legacy",),
            Progress(cancelled=lambda: True),
        )  # fmt: skip
