"""The benchmark of light, views and ways measures what it says."""

from pathlib import Path

import pytest

from benchmarks import light, report, targets
from benchmarks.light_city import PLACE, light_city
from cim_core.progress import Progress


def test_a_small_city_is_asked_and_its_ways_are_those_of_networkx(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(light, "_REACH", 300.0)
    monkeypatch.setattr(light, "_HALF", 0.0003)
    city = light_city(400, tmp_path)
    asked = [light._asked(city, *question, 1) for question in light._questions()]
    assert all(one["rows"] > 20 and one["cpu_seconds"] > 0 for one in asked), asked
    ways = light._ways(city, 1)
    assert ways["as_the_peer"] and ways["differ"] < 1e-9
    assert 400 < ways["reached"] <= ways["nodes"]
    scene = light.city_scene(city, PLACE, 1000.0, Progress())
    assert len(scene.corners) == 400 * 12
    rays = [
        {
            "what": what, "count": 9, "cpu_seconds": 1.0, "peer_seconds": 2.0, "ratio": 0.5,
            "differ": differ,
        }
        for what, differ in (("tree", None), ("sun", 0.0), ("views", 0.01))
    ]  # fmt: skip
    found = {
        "buildings": 400, "triangles": 4800, "repeat": 1, "questions": asked, "rays": rays,
        "ways": ways,
    }  # fmt: skip
    verdicts = list(targets.verdicts({"light": found}))
    assert [v.met for v in verdicts[:4]] == [True, True, True, False]
    machine = {"processor": "", "cores": 1, "memory_gb": 1, "system": "", "python": ""}
    page = report.page({"light": found, "date": "", "repeat": 1, "machine": machine})
    assert "rays to the sun" in page
    assert "4,800 triangles" in page
