"""The benchmark of queries finds what its generated footprints hold."""

from pathlib import Path

import pytest
import shapely

from benchmarks import queries, targets


def test_each_query_finds_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "FOLDER", tmp_path)
    monkeypatch.setattr(queries, "_QUERIES", 5)
    found = queries.measure(3000)
    assert found["footprints"] == 3000
    assert found["queries"]["the 10 nearest"]["found"] == 10
    assert 500 < found["queries"]["a box"]["found"] < 1500
    assert all(page["found"] == 100 for page in found["pages"].values())
    again = queries.measure(3000)
    assert again["seconds"] == found["seconds"], "kept"
    verdicts = targets.verdicts({"queries": found})
    assert [v.where for v in verdicts] == ["3,000 footprints"] * 4


def test_footprints_are_boxes_of_the_size_of_buildings() -> None:
    features = list(queries._footprints(2500))
    assert len({feature.id for feature in features}) == 2500
    assert all(feature.shape.is_valid for feature in features)
    metres = shapely.area([feature.shape for feature in features]) ** 0.5 * 111_320
    assert 1 < metres.min() < metres.max() < 100
