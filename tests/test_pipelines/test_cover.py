"""Cover depths, against sums done by hand and another way of going along pipes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.network import Labels, Network, Reference
from cim_core.networks_joined import joined
from cim_core.progress import Progress
from pipelines import cover
from pipelines.cover import (
    CoverChecked,
    GroundChoice,
    SurfaceOf,
    cover_sources,
    cover_table,
    surfaces,
    too_shallow,
)
from pipelines.rule_kinds import kind_names
from tests.support.streets import CORNER, lon_lat, pipes

NODES = GroundChoice(None, False)


def always(name: str) -> SurfaceOf:
    return lambda places: np.full(len(places), list(surfaces()).index(name), np.int8)


def checked(
    network: Network, rules: tuple[str, ...] = ("gas-pages",), surface: str | SurfaceOf = "footway",
    ground: GroundChoice = NODES, step: float = 5.0, **more: object,
) -> CoverChecked:  # fmt: skip
    pieces = network.pieces()
    above = always(surface) if isinstance(surface, str) else surface
    return too_shallow(
        network, pieces, pieces.flat(CORNER), rules, ground, above, Progress(), step=step, **more
    )


def gas(top: object, ground: object = 10.0, **more: object) -> Network:
    return pipes(
        {"a": (0, 0), "b": (40, 0)}, {"gas": ("a", "b")}, ground=ground, elevations=top, classes="TR",
        reference=Reference.TOP, **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("source", "kind", "values"),
    [
        ("gas-pages", "gas-medium", (0.6, 0.9, 0.3, 0.8)),
        ("gis-product", "water", (0.65, 0.65, 0.65, 0.65)),
        ("gis-product", "power-trench", (0.45, 0.45, 0.45, 0.45)),
        ("gis-product", "heat-direct", (0.6, 0.6, 0.6, 0.6)),
        ("gb50289-recalled", "water", (0.6, 0.7, np.nan, np.nan)),
        ("gb50289-recalled", "telecom-direct", (0.7, 0.8, np.nan, np.nan)),
        ("gb50289-recalled", "gas-low", (0.5, 0.6, np.nan, np.nan)),
        ("gb50289-recalled", "heat-trench", (np.nan, 0.2, np.nan, np.nan)),
        ("gas-pages", "water", (np.nan,) * 4),
    ],
)
def test_depths_are_those_of_the_sources(source: str, kind: str, values: tuple[float, ...]) -> None:
    row = cover_table(source)[kind_names().index(kind)]
    assert np.array_equal(row, values, equal_nan=True)
    assert list(surfaces()) == ["footway", "carriageway", "yard", "paddy"]


def test_storm_water_and_sewage_have_depths_of_their_own() -> None:
    network = joined([
        pipes({"a": (0, 0), "b": (9, 0)}, {name: ("a", "b")}, elevations=9.38, classes=name,
              reference=Reference.TOP)
        for name in ("YS", "WS", "HS")
    ])  # fmt: skip
    shallow = checked(network, ("gis-product",)).shallow
    assert network.segments.ids[shallow.segments].tolist() == ["WS"]


def test_sources_that_disagree_are_told_apart() -> None:
    found = checked(gas(9.45), tuple(cover_sources()), "footway").shallow
    assert found.cover == pytest.approx([0.55])
    assert {name: found.broken(name).tolist() for name in cover_sources()} == {
        "gas-pages": [True], "gis-product": [True], "gb50289-recalled": [False],
    }  # fmt: skip
    assert len(checked(gas(9.3), tuple(cover_sources())).shallow) == 0
    assert checked(gas(9.3), ("gas-pages",), "carriageway").shallow.cover == pytest.approx([0.7])


def test_a_falling_pipe_is_too_shallow_for_a_part_of_its_length() -> None:
    """From 0.4 to 0.8 m deep over 40 m: the first half is short of 0.6 m."""
    found = checked(gas([[9.6, 9.2]]), step=0.5)
    assert found.shallow.cover == pytest.approx([0.4], abs=1e-4)
    assert found.shallow.lengths == pytest.approx([20.0], abs=0.5)
    assert found.shallow.places == pytest.approx(lon_lat((0, 0)), abs=1e-9)
    assert found.measured.tolist() == [True]


def test_a_wall_counts_and_an_invert_is_below_the_clear_height() -> None:
    network = pipes(
        {"a": (0, 0), "b": (9, 0)}, {"gas": ("a", "b")}, elevations=9.0, size=0.4, classes="TR",
        reference=Reference.INVERT, walls=np.array([0.05]),
    )  # fmt: skip
    assert checked(network).shallow.cover == pytest.approx([10 - 9.45], abs=1e-4)


def test_what_lies_above_changes_along_a_pipe() -> None:
    def surface(places: np.ndarray) -> np.ndarray:
        return np.where(places[:, 0] < 10.01, 1, 0).astype(np.int8)

    found = checked(gas(9.25), surface=surface, step=1.0).shallow
    assert found.surfaces.tolist() == [1]
    assert found.lengths == pytest.approx([10.5])
    both = checked(gas(9.5), surface=surface, step=1.0).shallow
    assert both.surfaces.tolist() == [0, 1]
    assert both.lengths.sum() == pytest.approx(40.0, abs=1e-4)


class Hill:
    """10.3 m, and unknown beyond 30 m east."""

    paths = ()

    def __call__(self, places: np.ndarray) -> np.ndarray:
        east = (places[:, 0] - CORNER.lon) / (lon_lat((1, 0))[0, 0] - CORNER.lon)
        return np.where(east < 30, 10.3, np.nan)


def test_the_ground_is_that_of_the_nodes_or_of_the_terrain() -> None:
    network = gas(9.5)
    assert len(checked(network, ground=GroundChoice(Hill(), False)).shallow) == 1
    terrain = checked(network, ground=GroundChoice(Hill(), True), step=1.0).shallow
    assert terrain.cover == pytest.approx([0.5])  # where the terrain ends the nodes count
    assert terrain.from_terrain.tolist() == [False]
    unknown = gas(9.5, ground=np.nan)
    assert len(checked(unknown).shallow) == 0
    assert checked(unknown).measured.tolist() == [False]
    # 0.8 m below the terrain: enough for a footway, too little for a carriageway.
    hill = GroundChoice(Hill(), False)
    assert len(checked(unknown, ground=hill).shallow) == 0
    found = checked(unknown, surface="carriageway", ground=hill, step=1.0)
    assert found.shallow.cover == pytest.approx([0.8])
    assert found.shallow.from_terrain.tolist() == [True]


def test_risers_and_what_does_not_lie_in_the_soil_have_no_cover() -> None:
    assert not checked(gas([[5.0, 50.0]])).measured.any()
    overhead = gas(9.9, burials=Labels.of(["架空"]))
    assert not checked(overhead).measured.any()


def test_only_what_is_asked_for_is_checked() -> None:
    network = joined([gas(9.5), gas(9.45)])
    assert len(checked(network).shallow) == 2
    found = checked(network, within=np.array([False, True])).shallow
    assert found.segments.tolist() == [1]


def test_portions_hold_so_many_places_and_whole_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    bent = gas([[9.45, 9.6]])
    bends = lon_lat(np.array([(10, 2), (30, 2)], float))
    bent = Network(bent.nodes, replace(bent.segments, bends=bends, bend_starts=np.array([0, 2])))
    network = joined([gas(9.5), bent, gas(9.55), gas(9.45), gas([[9.3, 9.7]])])
    many: list[int] = []

    def surface(places: np.ndarray) -> np.ndarray:
        many.append(len(places))
        return np.where(places[:, 0] < 20.01, 1, 0).astype(np.int8)

    whole = checked(network, surface=surface, step=1.0)
    for portion, expected in ((100, [41 + 45, 82, 41]), (10, [41, 45, 41, 41, 41])):
        monkeypatch.setattr(cover, "_PORTION", portion)
        many.clear()
        found = checked(network, surface=surface, step=1.0)
        assert many == expected
        assert found.measured.tolist() == whole.measured.tolist()
        for name in ("segments", "surfaces", "cover", "lengths", "places", "from_terrain"):
            assert np.array_equal(getattr(found.shallow, name), getattr(whole.shallow, name))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**9))
def test_the_least_cover_of_bent_pipes_is_at_one_of_their_ends(seed: int) -> None:
    """Ground and pipe are both straight from end to end, so no point between is shallower."""
    random = np.random.default_rng(seed)
    network = gas(random.uniform(8.8, 9.9, (1, 2)), ground=random.uniform(9.8, 10.2, 2))
    bends = lon_lat(np.sort(random.uniform((5, -3), (35, 3), (3, 2)), axis=0))
    network = Network(
        network.nodes, replace(network.segments, bends=bends, bend_starts=np.array([0, 3]))
    )
    covers = network.nodes.ground - network.segments.elevations[0]
    found = checked(network, step=float(random.uniform(0.5, 9))).shallow
    if covers.min() > 0.601:
        assert len(found) == 0
    elif covers.min() < 0.599:
        assert found.cover == pytest.approx([covers.min()], abs=1e-3)
