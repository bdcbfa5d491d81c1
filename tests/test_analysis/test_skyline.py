"""The horizon of boxes, worked out by where each direction enters them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.analysis import asked
from analysis.rays.scene import GROUND, Scene
from analysis.skyline import NOTHING, Skyline, horizon, sky_view_factor
from cim_core.city import City
from cim_core.frame import Frame
from cim_core.progress import Progress
from tests.support.blocks import AT, Block, brute, faces, point, publish_blocks

WALL = Block(-20, 15, 40, 4, 12)
TOWER = Block(25, -10, 10, 20, 30)
LATER = Block(-60, -30, 12, 50, 25)


def highest(azimuths: np.ndarray, blocks: dict[str, Block]) -> list[tuple[float, str | None]]:
    """The elevation, degrees, and the box that makes it, where its top edge is nearest."""
    found = []
    for azimuth in np.radians(azimuths):
        way = np.array([np.sin(azimuth), np.cos(azimuth)])
        best: tuple[float, str | None] = (-90.0, None)
        for key, block in blocks.items():
            with np.errstate(divide="ignore"):
                one, other = block.low[:2] / way, block.high[:2] / way
            near, far = np.minimum(one, other).max(), np.maximum(one, other).min()
            if near <= far and near > 0:
                best = max(best, (float(np.degrees(np.arctan2(block.top - 1.6, near))), key))
        found.append(best)
    return found


def test_the_horizon_is_that_of_the_boxes(city: City) -> None:
    publish_blocks(city, "houses", {"wall": WALL, "tower": TOWER})
    publish_blocks(city, "plan", {"later": LATER}, "planned")
    # No box has a corner in these directions, where rounding would decide.
    values = {"place": point(0, 0), "planned": "plan", "step": 0.5}
    answer = asked(Skyline, values)(city, Progress())
    rows = answer.outputs["profile"].rows
    assert len(rows) == 720
    azimuths = np.array([row[0] for row in rows])
    now = highest(azimuths, {"wall": WALL, "tower": TOWER})
    built = highest(azimuths, {"wall": WALL, "tower": TOWER, "later": LATER})
    for row, before, after in zip(rows, now, built, strict=True):
        assert row[1] == pytest.approx(before[0], abs=2e-3), row[0]
        assert row[4] == before[1]
        assert row[5] == pytest.approx(after[0], abs=2e-3)
        assert row[7] == after[1]
    buildings = {row[2]: row for row in answer.outputs["buildings"].rows}
    wide = {key: sum(1 for _, by in built if by == key) * 0.5 for key in ("wall", "tower", "later")}
    assert {key: row[4] for key, row in buildings.items()} == wide
    open_sky = np.mean([np.cos(np.radians(max(up, 0.0))) ** 2 for up, _ in now])
    figures = {row[0]: row for row in answer.outputs["figures"].rows}
    assert figures["now"][3] == pytest.approx(open_sky, abs=1e-4)
    assert figures["built"][3] < figures["now"][3]
    svg = answer.outputs["chart"].svg().decode()
    assert "天际线" in svg
    assert "Block tower" in svg
    lines = [one for one in answer.outputs["sketch"].as_dict()["features"] if one["id"] != "eye"]
    proofs = {key for row in buildings.values() for key in row[0]}
    assert proofs == {line["id"] for line in lines}
    tops = {round(c[2]) for line in lines for c in line["geometry"]["coordinates"]}
    assert tops == {12, 30, 25}


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=15)
def test_a_ray_just_below_the_horizon_meets_something_and_none_above(seed: int) -> None:
    rng = np.random.default_rng(seed)
    boxes = []
    for _ in range(6):
        west, south = rng.uniform(-60, 60, 2)
        if abs(west) < 25 and abs(south) < 25:
            west += 60
        boxes.append(faces(Block(west, south, *rng.uniform(2, 20, 2), rng.uniform(3, 40))))
    corners = np.concatenate(boxes)
    owners = np.repeat(np.arange(6), 12)
    things = ()
    scene = Scene(Frame(*AT, 0.0), 0.0, corners, owners, things, ())
    eye = np.array([0.0, 0.0, 1.6])
    found = horizon(scene, eye, 90)
    known = found.owners != NOTHING
    for angle, hit in ((-0.01, True), (0.01, False)):
        up = np.radians(found.elevations[known] + angle)
        azimuth = np.radians(found.azimuths[known])
        ways = np.column_stack(
            [np.cos(up) * np.sin(azimuth), np.cos(up) * np.cos(azimuth), np.sin(up)]
        )
        away = brute(np.broadcast_to(eye, ways.shape), ways, corners)
        assert (np.isfinite(away) == hit).mean() > 0.97, (
            "corners of boxes are thinner than the step"
        )
    assert GROUND not in found.owners
    assert 0 < sky_view_factor(found.elevations) <= 1


def test_a_horizon_is_the_same_however_few_edges_are_looked_at_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    near = [Block(3, -20, 2, 40, 12), Block(-9, -9, 18, 2, 12), Block(-40, 30, 9, 9, 30)]
    owners = np.repeat(np.arange(3), 12)
    corners = np.concatenate([faces(one) for one in near])
    scene = Scene(Frame(*AT, 0.0), 0.0, corners, owners, (), ())
    whole = horizon(scene, np.array([0.0, 0.0, 1.6]), 720)
    monkeypatch.setattr("analysis.skyline._DIRECTIONS", 50)
    parts = horizon(scene, np.array([0.0, 0.0, 1.6]), 720)
    for name in ("azimuths", "elevations", "distances", "owners"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name), equal_nan=True), name
    assert set(whole.owners.tolist()) == {NOTHING, 0, 1, 2}
